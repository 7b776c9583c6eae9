"""What a ParserPool may not ask of a pod.

Whoever may write a ParserPool must not get more by it than a runner has: nothing of the node, no token of a service
account, no Secret but those that the installation gives to its runners. The rules are those of the restricted profile
of the Pod Security Standards, and a few for tokens, service accounts and Secrets. They judge the pod as it would be
made, so it does not matter which field of the ParserPool has caused what.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.pools.secret_rules import Granted, granted, secret_faults
from dataset_jobs.model.text import one_line

POD = "spec.podTemplate.spec"
_RESTRICTED = "the restricted Pod Security Standard"
_REFUSED = f"{_RESTRICTED} refuses it"

_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_PROJECTED = {"configMap", "downwardAPI", "secret", "clusterTrustBundle"}
_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}  # fmt: skip
_SELINUX = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the installation lets ParserPools name beside its own.

    Args:
        secrets: names of Secrets, of which a pod may use every key.
        service_accounts: names of service accounts. Their token stays refused; what else a cloud gives them does not.
    """

    secrets: frozenset[str] = frozenset()
    service_accounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Fault:
    """One refused field.

    Args:
        path: in the ParserPool.
        why: for people.
        value: as JSON. The same value in the installation's own pod is no fault of a ParserPool.
    """

    path: str
    why: str = field(compare=False)
    value: str


def refusal(pod: Mapping[str, Any], own: Mapping[str, Any], allowed: Allowed) -> str | None:
    """Why a ParserPool may not have its pod, with the path of the field; None if it may.

    Args:
        pod: the PodTemplateSpec that the ParserPool leads to.
        own: that of the installation, without any ParserPool. What it has, its runners may have.
        allowed: what the installation allows besides.
    """
    try:
        chosen = {*_faults(own, granted(_spec(own)), allowed)}
        gives = granted(_spec(own), allowed.secrets)
        found = next((fault for fault in _faults(pod, gives, allowed) if fault not in chosen), None)
    except _NotAsKubernetesHasIt as error:
        return str(error)
    return None if found is None else f"{found.path}: {found.why}"


class _NotAsKubernetesHasIt(Exception):
    """A list where an object belongs, or the like. The API server would refuse it; nobody has to rely on that."""


def _faults(pod: Mapping[str, Any], gives: Granted, allowed: Allowed) -> Iterator[_Fault]:
    spec = _spec(pod)
    for name, value in _object(_object(pod.get("metadata"), "").get("annotations"), "").items():
        if name.startswith(_APPARMOR) and not (value == "runtime/default" or str(value).startswith("localhost/")):
            yield _fault(f"spec.podTemplate.metadata.annotations[{name}]", _REFUSED, value)
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name) not in (None, False):
            yield _fault(f"{POD}.{name}", _REFUSED, spec[name])
    yield from _accounts(spec, allowed)
    context = _object(spec.get("securityContext"), f"{POD}.securityContext")
    yield from _contexts(context, f"{POD}.securityContext")
    for number, one in enumerate(_objects(context.get("sysctls"), f"{POD}.securityContext.sysctls")):
        if one.get("name") not in _SYSCTLS:
            yield _fault(f"{POD}.securityContext.sysctls[{number}]", _REFUSED, one)
    for volume in _objects(spec.get("volumes"), f"{POD}.volumes"):
        yield from _volume(volume, f"{POD}.volumes[{_name(volume)}]")
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for number, container in enumerate(_objects(spec.get(kind), f"{POD}.{kind}")):
            where = number if kind == "containers" else _name(container)
            yield from _container(container, context, f"{POD}.{kind}[{where}]")
    yield from (_fault(f"{POD}{place}", why, value) for place, why, value in secret_faults(spec, gives))


def _accounts(spec: Mapping[str, Any], allowed: Allowed) -> Iterator[_Fault]:
    account = spec.get("serviceAccountName") or "default"
    if account not in allowed.service_accounts:
        yield _fault(
            f"{POD}.serviceAccountName",
            "another service account than the runners'; runner.allowed.serviceAccounts of the chart can allow it",
            account,
        )
    if spec.get("serviceAccount") is not None:
        yield _fault(f"{POD}.serviceAccount", "is deprecated; use serviceAccountName", spec["serviceAccount"])
    if spec.get("automountServiceAccountToken") is not False:
        value = spec.get("automountServiceAccountToken")
        yield _fault(f"{POD}.automountServiceAccountToken", "a runner gets no token of a service account", value)


def _volume(volume: Mapping[str, Any], path: str) -> Iterator[_Fault]:
    for kind, source in volume.items():
        if kind == "name" or source is None:
            continue
        if kind not in _VOLUMES:
            yield _fault(f"{path}.{kind}", _REFUSED, source)
        elif kind == "projected":
            sources = _objects(_object(source, f"{path}.projected").get("sources"), f"{path}.projected.sources")
            for number, one in enumerate(sources):
                for what in one.keys() - _PROJECTED:
                    if one[what] is not None:
                        why = "a runner gets no token or certificate of its service account"
                        yield _fault(f"{path}.projected.sources[{number}].{what}", why, one[what])


def _container(container: Mapping[str, Any], pod: Mapping[str, Any], path: str) -> Iterator[_Fault]:
    inside = f"{path}.securityContext"
    context = _object(container.get("securityContext"), inside)
    yield from _contexts(context, inside)
    if context.get("privileged") not in (None, False):
        yield _fault(f"{inside}.privileged", _REFUSED, context["privileged"])
    if context.get("allowPrivilegeEscalation") is not False:
        value = context.get("allowPrivilegeEscalation")
        yield _fault(f"{inside}.allowPrivilegeEscalation", f"must be false for {_RESTRICTED}", value)
    yield from _capabilities(_object(context.get("capabilities"), f"{inside}.capabilities"), inside)
    if context.get("procMount") not in (None, "Default"):
        yield _fault(f"{inside}.procMount", _REFUSED, context["procMount"])
    if context.get("runAsNonRoot") is None and pod.get("runAsNonRoot") is None:
        yield _fault(f"{inside}.runAsNonRoot", f"must be true, here or for the pod, for {_RESTRICTED}", None)
    if context.get("seccompProfile") is None and pod.get("seccompProfile") is None:
        why = f"must be RuntimeDefault or Localhost, here or for the pod, for {_RESTRICTED}"
        yield _fault(f"{inside}.seccompProfile.type", why, None)
    for number, port in enumerate(_objects(container.get("ports"), f"{path}.ports")):
        if port.get("hostPort") not in (None, 0):
            yield _fault(f"{path}.ports[{number}].hostPort", _REFUSED, port["hostPort"])
    yield from _hosts(container, path)


def _contexts(context: Mapping[str, Any], path: str) -> Iterator[_Fault]:
    """What a pod's and a container's security context have in common."""
    if context.get("runAsNonRoot") not in (None, True):
        yield _fault(f"{path}.runAsNonRoot", f"must be true for {_RESTRICTED}", context["runAsNonRoot"])
    user = context.get("runAsUser")
    if user is not None and not (isinstance(user, int) and user > 0):
        yield _fault(f"{path}.runAsUser", f"must not be 0 for {_RESTRICTED}", user)
    for name in ("seccompProfile", "appArmorProfile"):
        profile = _object(context.get(name), f"{path}.{name}")
        if context.get(name) is not None and profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield _fault(f"{path}.{name}.type", f"must be RuntimeDefault or Localhost for {_RESTRICTED}", profile)
    labels = _object(context.get("seLinuxOptions"), f"{path}.seLinuxOptions")
    if labels.get("type") not in _SELINUX or labels.get("user") or labels.get("role"):
        yield _fault(f"{path}.seLinuxOptions", _REFUSED, labels)
    windows = _object(context.get("windowsOptions"), f"{path}.windowsOptions")
    if windows.get("hostProcess") not in (None, False):
        yield _fault(f"{path}.windowsOptions.hostProcess", _REFUSED, windows["hostProcess"])


def _capabilities(capabilities: Mapping[str, Any], path: str) -> Iterator[_Fault]:
    drops, adds = capabilities.get("drop") or [], capabilities.get("add") or []
    if not isinstance(drops, list) or "ALL" not in drops:
        yield _fault(f"{path}.capabilities.drop", f"must have ALL for {_RESTRICTED}", drops)
    if not isinstance(adds, list) or any(one != "NET_BIND_SERVICE" for one in adds):
        yield _fault(f"{path}.capabilities.add", _REFUSED, adds)


def _hosts(container: Mapping[str, Any], path: str) -> Iterator[_Fault]:
    """Probes and hooks that the kubelet sends elsewhere than to the pod."""
    lifecycle = _object(container.get("lifecycle"), f"{path}.lifecycle")
    handlers = {name: container.get(name) for name in ("livenessProbe", "readinessProbe", "startupProbe")}
    handlers |= {f"lifecycle.{name}": lifecycle.get(name) for name in ("postStart", "preStop")}
    for name, handler in handlers.items():
        for how in ("httpGet", "tcpSocket"):
            action = _object(_object(handler, f"{path}.{name}").get(how), f"{path}.{name}.{how}")
            if action.get("host") not in (None, ""):
                yield _fault(f"{path}.{name}.{how}.host", _REFUSED, action["host"])


def _fault(path: str, why: str, value: Any) -> _Fault:
    return _Fault(path, why, json.dumps(value, sort_keys=True, default=str))


def _spec(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(pod.get("spec"), POD)


def _name(entry: Mapping[str, Any]) -> str:
    return one_line(str(entry.get("name", "")))


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _NotAsKubernetesHasIt(f"{path}: must be an object")
    return value


def _objects(value: Any, path: str) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _NotAsKubernetesHasIt(f"{path}: must be a list")
    return [_object(one, f"{path}[{number}]") for number, one in enumerate(value)]
