"""Which Secrets a pod uses, and which of them the installation gives to its runners.

A Secret may hold the runners' database URL beside the owner's. So a key that runners get as a variable is allowed, and
the Secret as a whole is not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Use(NamedTuple):
    """A Secret in a pod.

    Args:
        place: below the pod's spec, such as `.volumes[keys].secret`.
        name: the Secret's.
        key: the one that the pod gets; None for all of them.
        pull: only the kubelet uses it, to pull images.
    """

    place: str
    name: str
    key: str | None = None
    pull: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """What pods may use.

    Args:
        whole: Secrets of which they may use every key.
        keys: single keys, as (name, key).
        pull: Secrets to pull images with.
    """

    whole: frozenset[str]
    keys: frozenset[tuple[str, str]]
    pull: frozenset[str]

    def has(self, use: Use) -> bool:
        """Whether a pod may use it."""
        if use.name in self.whole or (use.pull and use.name in self.pull):
            return True
        return not use.pull and use.key is not None and (use.name, use.key) in self.keys


def granted(spec: Mapping[str, Any], further: Iterable[str] = ()) -> Granted:
    """What the pods of a PodSpec have already.

    Args:
        spec: the installation's own.
        further: names of Secrets that are allowed besides.
    """
    uses = [*_uses(spec)]
    return Granted(
        frozenset(use.name for use in uses if use.key is None and not use.pull) | frozenset(further),
        frozenset((use.name, use.key) for use in uses if use.key is not None),
        frozenset(use.name for use in uses if use.pull),
    )


def secret_faults(spec: Mapping[str, Any], gives: Granted) -> Iterator[tuple[str, str, Any]]:
    """The Secrets that a pod may not use: place, why, and the Secret with its key."""
    for use in _uses(spec):
        if not gives.has(use):
            what = f"Secret {use.name}" if use.key is None else f"key {use.key} of Secret {use.name}"
            why = f"{what} is none that runners get; runner.allowed.secrets of the chart can allow it"
            yield use.place, why, [use.name, use.key]


def _uses(spec: Mapping[str, Any]) -> Iterator[Use]:
    for number, one in enumerate(_list(spec.get("imagePullSecrets"))):
        yield Use(f".imagePullSecrets[{number}]", _text(one, "name"), pull=True)
    for volume in _list(spec.get("volumes")):
        yield from _of_volume(volume, f".volumes[{_text(volume, 'name')}]")
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for number, container in enumerate(_list(spec.get(kind))):
            path = f".{kind}[{number if kind == 'containers' else _text(container, 'name')}]"
            for env in _list(_map(container).get("env")):
                reference = _map(_map(env).get("valueFrom")).get("secretKeyRef")
                if reference is not None:
                    place = f"{path}.env[{_text(env, 'name')}].valueFrom.secretKeyRef"
                    yield Use(place, _text(reference, "name"), _text(reference, "key"))
            for at, source in enumerate(_list(_map(container).get("envFrom"))):
                reference = _map(source).get("secretRef")
                if reference is not None:
                    yield Use(f"{path}.envFrom[{at}].secretRef", _text(reference, "name"))


def _of_volume(volume: Any, path: str) -> Iterator[Use]:
    secret, projected, csi = (_map(volume).get(kind) for kind in ("secret", "projected", "csi"))
    if secret is not None:
        yield from _keys(f"{path}.secret", _text(secret, "secretName"), _map(secret).get("items"))
    for number, source in enumerate(_list(_map(projected).get("sources"))):
        reference = _map(source).get("secret")
        if reference is not None:
            place = f"{path}.projected.sources[{number}].secret"
            yield from _keys(place, _text(reference, "name"), _map(reference).get("items"))
    reference = _map(csi).get("nodePublishSecretRef")
    if reference is not None:
        yield Use(f"{path}.csi.nodePublishSecretRef", _text(reference, "name"))


def _keys(place: str, name: str, items: Any) -> Iterator[Use]:
    """A Secret's files: all keys, unless items are listed."""
    listed = _list(items)
    if not listed:
        yield Use(place, name)
    yield from (Use(place, name, _text(item, "key")) for item in listed)


def _text(value: Any, name: str) -> str:
    return str(_map(value).get(name) or "")


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
