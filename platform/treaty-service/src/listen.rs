//! Listening addresses.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::net::TcpListener;

/// Where a server listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File that the bound address is written to, for whoever chose port 0.
    #[serde(default)]
    pub address_file: Option<PathBuf>,
}

impl ListenConfig {
    /// An address without a file.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, address_file: None }
    }

    /// Binds the address and, when asked to, writes it to the file.
    ///
    /// # Errors
    /// The address is taken or not ours, or the file cannot be written; the
    /// message names which.
    pub async fn bind(&self) -> std::io::Result<TcpListener> {
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| named(&error, &format!("cannot listen on {}", self.listen)))?;
        if let Some(file) = &self.address_file {
            write_address(file, listener.local_addr()?)
                .map_err(|error| named(&error, &format!("cannot write {}", file.display())))?;
        }
        Ok(listener)
    }
}

fn named(error: &std::io::Error, what: &str) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Writes an address to a file in one step, so that a reader finds all of it or
/// nothing.
///
/// # Errors
/// The file or its directory cannot be written.
pub fn write_address(path: &Path, address: SocketAddr) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(name);
    let mut file = std::fs::File::create(&temporary)?;
    writeln!(file, "{address}")?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_bound_address_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("http");
        let config = ListenConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            address_file: Some(file.clone()),
        };
        let listener = config.bind().await.unwrap();
        let written: SocketAddr = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        assert_eq!(written, listener.local_addr().unwrap());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_taken_address_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = ListenConfig::new(address).bind().await.unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}
