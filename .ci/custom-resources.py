"""Validates custom resources strictly against their published definitions: python custom-resources.py OVERLAY...

The folder of the same name has the definitions (CustomResourceDefinition, YAML) that the projects of cert-manager and CloudNativePG publish.
Prints what is wrong, a resource without a definition included, and ends with 1. Rules that such a definition writes as expressions
(x-kubernetes-validations) are not looked at.
"""

import pathlib
import sys

import jsonschema
import yaml


def strict(schema):
    """The schema as the server of a cluster reads it when it is to refuse fields that it does not know."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: strict(value) for key, value in schema.items()}
    if schema.pop("x-kubernetes-int-or-string", False):
        return {"type": ["integer", "string"]}
    open_to_others = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and "properties" in schema and not open_to_others:
        schema["additionalProperties"] = False
    return schema


def definitions():
    found = {}
    for file in pathlib.Path(__file__).with_suffix("").glob("*.yaml"):
        definition = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]
        for version in definition["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            # Metadata are the same for every kind, and defined elsewhere.
            schema["properties"]["metadata"] = {}
            found[f"{definition['group']}/{version['name']}", definition["names"]["kind"]] = schema
    return found


def faults(document, schema):
    name = f"{document['kind']} {document['metadata']['name']}"
    if schema is None:
        yield f"{name}: there is no definition of it"
        return
    for error in jsonschema.Draft7Validator(schema).iter_errors(document):
        yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message}"


def main(*overlays):
    known = definitions()
    wrong = 0
    for overlay in overlays:
        for document in yaml.safe_load_all(pathlib.Path(overlay).read_text(encoding="utf-8")):
            version = document["apiVersion"]
            if "." not in version or version.split("/")[0].endswith(".k8s.io"):
                continue
            for fault in faults(document, known.get((version, document["kind"]))):
                print(f"{overlay}: {fault}", file=sys.stderr)
                wrong = 1
    sys.exit(wrong)


main(*sys.argv[1:])
