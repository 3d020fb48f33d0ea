//! Rules about what the services' sources name.
//!
//! A crate cannot name what it does not depend on, so this is the second lock: it
//! also sees a library that somebody re-exports.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Crates by which services would go around their port, and the one that may.
const NAMES: [(&str, Option<&str>); 4] =
    [("tonic", None), ("async_nats", None), ("sqlx", Some("api/")), ("temporalio_client", None)];

/// Every place in the services that names one of them.
pub(super) fn violations(services: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in rust_files(services)? {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let shown = file.strip_prefix(services).unwrap_or(&file).to_string_lossy().into_owned();
        found.extend(named(&shown, &text));
    }
    Ok(found)
}

fn named(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // Comments may say what they like.
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (name, home) in NAMES {
            if names(line, name) && !home.is_some_and(|home| file.starts_with(home)) {
                let place = format!("services/{file}:{}", number + 1);
                found.push(format!("{place} names {name}: services reach it through their port"));
            }
        }
    }
    found
}

/// Whether a line holds a path that goes through this crate.
fn names(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let part_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = line.match_indices(&path);
    places.any(|(at, _)| !line[..at].ends_with(part_of_a_name))
}

fn rust_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(current) = pending.pop() {
        let entries = std::fs::read_dir(&current)
            .with_context(|| format!("cannot read {}", current.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_around_the_port_is_found() {
        for line in [
            "use tonic::Status;",
            "    let channel = ::tonic::transport::Channel::from_static(\"http://[::1]\");",
            "async_nats::connect(\"nats://localhost\").await?;",
            "type Row = (sqlx::types::Uuid,); // sqlx",
            "fn f(_: &port::tonic::Request<()>) {}",
        ] {
            let found = named("worker/src/lib.rs", &format!("//! Text.\n{line}\n"));
            assert_eq!(found.len(), 1, "{line}");
            assert!(found[0].starts_with("services/worker/src/lib.rs:2 names "), "{found:?}");
        }
    }

    #[test]
    fn the_rest_is_not() {
        for (file, line) in [
            ("api/src/athletes/repository.rs", "sqlx::query(\"\")"),
            ("worker/src/lib.rs", "// Not by tonic::transport."),
            ("worker/src/lib.rs", "use diatonic::Scale;"),
            ("worker/src/lib.rs", "let tonic = \"gin\";"),
        ] {
            assert_eq!(named(file, line), Vec::<String>::new(), "{line}");
        }
    }
}
