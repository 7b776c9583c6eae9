"""The restricted Pod Security Standard, written down a second time for the tests, and what runners must not have.

It shares no code with the product. Where the product asks field by field, this walks the whole pod and asks of every
field, wherever it stands, whether it may have its value.
"""

from collections.abc import Iterator
from typing import Any

_NEVER_TRUE = {"hostNetwork", "hostPID", "hostIPC", "privileged", "hostProcess"}
_ON_THE_NODE = {
    "hostPath", "nfs", "iscsi", "rbd", "cephfs", "glusterfs", "flexVolume", "flocker", "gitRepo", "azureFile",
    "azureDisk", "awsElasticBlockStore", "gcePersistentDisk", "vsphereVolume", "fc", "cinder", "photonPersistentDisk",
    "portworxVolume", "quobyte", "scaleIO", "storageos", "image",
}  # fmt: skip
_IDENTITY = {"serviceAccountToken", "podCertificate", "serviceAccount"}


def violations(pod: dict[str, Any], accounts: set[str], secrets: set[tuple[str, str]]) -> list[str]:
    """What a pod has that it must not have.

    Args:
        pod: a PodTemplateSpec.
        accounts: the service accounts that it may have.
        secrets: name and key of what it may know; the key `*` stands for all, and `pull` for images.
    """
    spec = pod["spec"]
    found = [*_anywhere(pod, ""), *_secrets(spec, secrets)]
    if spec.get("serviceAccountName") not in accounts:
        found.append("account")
    if spec.get("automountServiceAccountToken") is not False:
        found.append("token")
    whole = spec.get("securityContext") or {}
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            own = container.get("securityContext") or {}
            both = whole | {name: value for name, value in own.items() if value is not None}
            if both.get("runAsNonRoot") is not True:
                found.append("root")
            if (both.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
                found.append("seccomp")
            if own.get("allowPrivilegeEscalation") is not False:
                found.append("escalation")
            if "ALL" not in ((own.get("capabilities") or {}).get("drop") or ()):
                found.append("capabilities")
    return found


def _anywhere(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _anywhere(one, path)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        here = f"{path}.{name}"
        if inner is not None and _is_bad(name, inner, path):
            yield here
        yield from _anywhere(inner, here)


def _is_bad(name: str, value: Any, path: str) -> bool:
    if name in _NEVER_TRUE:
        return value is not False
    if name in _IDENTITY or (name in _ON_THE_NODE and path.endswith(".volumes")):
        return True
    match name:
        case "hostPort":
            return bool(value != 0)
        case "host":
            return path.endswith((".httpGet", ".tcpSocket")) and value != ""
        case "runAsNonRoot":
            return value is not True
        case "runAsUser":
            return bool(value == 0)
        case "procMount":
            return bool(value != "Default")
        case "add":
            return any(one != "NET_BIND_SERVICE" for one in value)
        case "seccompProfile" | "appArmorProfile":
            return value.get("type") not in ("RuntimeDefault", "Localhost")
        case "seLinuxOptions":
            odd = value.get("type") not in (None, "", "container_t", "container_init_t", "container_kvm_t")
            return odd or bool(value.get("user") or value.get("role"))
        case "sysctls":
            return any(not one["name"].startswith("net.ipv4.ip_local_port_range") for one in value)
    return name.startswith("container.apparmor.security") and value == "unconfined"


def _secrets(spec: dict[str, Any], known: set[tuple[str, str]]) -> Iterator[str]:
    used = {(one["name"], "pull") for one in spec.get("imagePullSecrets") or ()}
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            used |= {*_variables(container)}
    for volume in spec.get("volumes") or ():
        used |= {*_files(volume)}
    for name, key in used - known:
        if (name, "*") not in known:
            yield f"{key} of Secret {name}"


def _variables(container: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for one in container.get("env") or ():
        reference = (one.get("valueFrom") or {}).get("secretKeyRef")
        if reference:
            yield reference["name"], reference["key"]
    for one in container.get("envFrom") or ():
        if one.get("secretRef"):
            yield one["secretRef"]["name"], "*"


def _files(volume: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if (volume.get("csi") or {}).get("nodePublishSecretRef"):
        yield volume["csi"]["nodePublishSecretRef"]["name"], "*"
    for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
        secret = source.get("secret")
        if secret:
            name = secret.get("secretName") or secret.get("name")
            keys = [item["key"] for item in secret.get("items") or ()]
            yield from ((name, key) for key in keys or ["*"])
