"""Schemas of Kubernetes manifests, and their YAML as JSON.

    manifest-schemas build DIRECTORY [CRD.yaml ...]   writes schemas for kubeconform
    manifest-schemas json < MANIFESTS                 prints all documents as one list

Kubernetes' own schemas come with the package kubernetes-validate, those of custom resources from
their definitions. The latter are made strict: a field that the definition does not know is a
mistake, as it is in Kubernetes' own. Rules in CEL (x-kubernetes-validations) are not judged.
"""

import importlib.util
import json
import pathlib
import sys

import yaml

# The oldest and the newest Kubernetes that charts are judged for.
VERSIONS = ("1.33.0", "1.37.0")


def build(directory, definitions):
    package = pathlib.Path(importlib.util.find_spec("kubernetes_validate").origin).parent
    for version in VERSIONS:
        source = package / "kubernetes-json-schema" / f"v{version}-local-strict"
        target = directory / f"v{version}"
        target.mkdir(parents=True)
        for file in source.iterdir():
            # The package resolves names and references by itself; for others they are files'.
            text = file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#')
            schema = json.loads(text)
            schema.pop("$id", None)
            (target / file.name).write_text(json.dumps(schema))
    for file in definitions:
        for definition in yaml.safe_load_all(pathlib.Path(file).read_text()):
            if definition and definition["kind"] == "CustomResourceDefinition":
                write_custom(directory / "custom", definition["spec"])


def write_custom(directory, spec):
    directory.mkdir(exist_ok=True)
    for version in spec["versions"]:
        if not version["served"]:
            continue
        schema = strict(version["schema"]["openAPIV3Schema"])
        kind = spec["names"]["kind"].lower()
        schema["properties"]["kind"] = {"enum": [spec["names"]["kind"]]}
        schema["properties"]["apiVersion"] = {"enum": [f"{spec['group']}/{version['name']}"]}
        name = f"{spec['group']}_{kind}_{version['name']}.json"
        (directory / name).write_text(json.dumps(schema))


def strict(schema):
    """The schema, closed wherever the definition does not leave it open."""
    result = dict(schema)
    if result.pop("nullable", False) and "type" in result:
        result["type"] = [result["type"], "null"]
    if "properties" in schema:
        result["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            result.setdefault("additionalProperties", False)
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = strict(schema["additionalProperties"])
    if isinstance(schema.get("items"), dict):
        result["items"] = strict(schema["items"])
    return result


def main(arguments):
    if arguments[:1] == ["build"] and len(arguments) > 1:
        build(pathlib.Path(arguments[1]), arguments[2:])
    elif arguments == ["json"]:
        documents = [document for document in yaml.safe_load_all(sys.stdin) if document is not None]
        json.dump(documents, sys.stdout, default=str)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except yaml.YAMLError as error:
        sys.exit(f"no YAML: {error}")
