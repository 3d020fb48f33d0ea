//! Where the api listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use treaty_http::{GatewayConfig, HttpServerConfig};
use treaty_rpc::GrpcServerConfig;
use treaty_service::ListenConfig;

use super::{Problem, unmet};

/// The HTTP and JSON side.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File to write the address to once it is known.
    pub address_file: Option<PathBuf>,
    /// Directory of generated documents to serve under `/docs/`, `/openapi/` and `/asyncapi/`;
    /// for development.
    pub documents: Option<PathBuf>,
    /// How requests are bounded.
    pub gateway: GatewayConfig,
    /// How the server ends.
    pub server: HttpServerConfig,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 8080).into(),
            address_file: None,
            documents: None,
            gateway: GatewayConfig::default(),
            server: HttpServerConfig::default(),
        }
    }
}

/// The gRPC side.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File to write the address to once it is known.
    pub address_file: Option<PathBuf>,
    /// How the server protects itself.
    pub server: GrpcServerConfig,
}

impl HttpConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let documents = self.documents.as_ref();
        unmet([(
            documents.is_none_or(|directory| directory.join("docs/index.html").is_file()),
            "http.documents",
            "a directory that the generator has written, with docs/index.html in it",
        )])
    }

    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> ListenConfig {
        ListenConfig { listen: self.listen, address_file: self.address_file.clone() }
    }
}

impl GrpcConfig {
    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> ListenConfig {
        ListenConfig { listen: self.listen, address_file: self.address_file.clone() }
    }
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 9233).into(),
            address_file: None,
            server: GrpcServerConfig::default(),
        }
    }
}
