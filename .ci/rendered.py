"""Looks at rendered manifests: python rendered.py SECRETS OVERLAY...

Every name that a workload refers to is there, every pod keeps to the restricted profile of pod security, and every policy and service
selects a pod. Prints what is wrong and ends with 1.
"""

import sys

import yaml

# Made by whoever runs the system, as the operations guide says.
BY_OPERATOR = {"legalstat-authority", "backup-storage", "file-storage", "request-intake-signing-keys", "collection-distribution-signing-keys"}
LISTS_BY_OPERATOR = {"revoked"}
WORKLOADS = ("Deployment", "Job")


def read(path):
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def of(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def name(document):
    return document["metadata"]["name"]


def references(pod):
    """The kind and name of everything that a pod needs."""
    if "serviceAccountName" in pod:
        yield "ServiceAccount", pod["serviceAccountName"]
    for volume in pod.get("volumes", []):
        for key, kind, field in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            if key in volume and not volume[key].get("optional"):
                yield kind, volume[key][field]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
    for container in pod["containers"]:
        for source in container.get("envFrom", []):
            yield "ConfigMap", source["configMapRef"]["name"]


def unrestricted(pod):
    """What the restricted profile misses, and a root that can be written."""
    if pod.get("securityContext", {}).get("runAsNonRoot") is not True:
        yield "may run as root"
    if pod.get("securityContext", {}).get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "is given a token of the cluster"
    for container in pod["containers"]:
        context = container.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False:
            yield "may gain privileges"
        if context.get("capabilities", {}).get("drop") != ["ALL"]:
            yield "keeps capabilities"
        if context.get("readOnlyRootFilesystem") is not True:
            yield "may write to its root"
        if "memory" not in container.get("resources", {}).get("limits", {}):
            yield "has no limit of memory"
        if ":" not in container["image"] and container["image"] != "legalstat":
            yield "has an image without a version"
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        if mounted != {volume["name"] for volume in pod.get("volumes", [])}:
            yield "mounts other volumes than it has"


def selects(selector, labels):
    expressions = selector.get("matchExpressions", [])
    pairs = selector.get("matchLabels", {}).items()
    return all(labels.get(key) == value for key, value in pairs) and all(
        labels.get(one["key"]) in one["values"] for one in expressions
    )


def faults(documents, secrets):
    there = {(document["kind"], name(document)) for document in documents + secrets}
    there |= {("Secret", secret) for secret in BY_OPERATOR} | {("ConfigMap", lists) for lists in LISTS_BY_OPERATOR}
    there |= {("Secret", one["spec"]["secretName"]) for one in of(documents, "Certificate")}
    pods = {name(one): one["spec"]["template"] for one in of(documents, *WORKLOADS)}
    for workload, template in pods.items():
        for reference in references(template["spec"]):
            if reference not in there:
                yield f"{workload} needs {' '.join(reference)}, which is not there"
        for fault in unrestricted(template["spec"]):
            yield f"{workload} {fault}"
    for cluster in of(documents, "Cluster"):
        for role in cluster["spec"]["managed"]["roles"]:
            if ("Secret", role["passwordSecret"]["name"]) not in there:
                yield f"the role {role['name']} has no password"
        # A database that is restored has run them before.
        made = cluster["spec"]["bootstrap"].get("initdb", {}).get("postInitApplicationSQLRefs", {})
        for source in made.get("configMapRefs", []):
            if ("ConfigMap", source["name"]) not in there:
                yield f"{source['name']} is not there"
    labels = [template["metadata"]["labels"] for template in pods.values()] + [{"cnpg.io/cluster": "postgres"}]
    for document in of(documents, "NetworkPolicy", "PodDisruptionBudget", "Service", "Deployment"):
        key = "podSelector" if document["kind"] == "NetworkPolicy" else "selector"
        selector = document["spec"][key]
        selector = {"matchLabels": selector} if document["kind"] == "Service" else selector
        if not any(selects(selector, one) for one in labels):
            yield f"{document['kind']} {name(document)} selects no pod"
    for scaler in of(documents, "HorizontalPodAutoscaler"):
        if ("Deployment", scaler["spec"]["scaleTargetRef"]["name"]) not in there:
            yield f"{name(scaler)} scales nothing"
    namespaces = {one["metadata"].get("namespace") for one in documents if one["kind"] != "Namespace"}
    if namespaces != {name(one) for one in of(documents, "Namespace")}:
        yield f"the documents stand in {namespaces}"


def main(secrets, *overlays):
    found = [f"{overlay}: {fault}" for overlay in overlays for fault in faults(read(overlay), read(secrets))]
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(1 if found else 0)


main(*sys.argv[1:])
