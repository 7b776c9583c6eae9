"""Laying what one says over what there is, as `kubectl patch` does for pods.

Kubernetes' own rules for this (strategic merge) are in its Go code and its API's description; of them these few are
needed. Maps are merged key by key, and null takes a key away. Of the lists below, entries are told apart by a key, as
Kubernetes does; all other lists are replaced.
"""

from collections.abc import Mapping
from typing import Any

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "env": "name",
    "volumeMounts": "mountPath",
}
_MERGED = {"containers", "initContainers"}
"""Their entries are merged. Of the others' one takes the place of its namesake: half of a Secret's variable and half of
a plain one make none, and so it is with volumes."""


def strategic_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A map with another one laid over it; neither is changed.

    What has no sense is laid over all the same: the API server says what is wrong with it, and where.
    """
    merged = dict(base)
    for name, value in over.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_field(name, merged.get(name), value)
    return merged


def merge_field(name: str, base: Any, over: Any) -> Any:
    """The same for the value of one field, by the field's name."""
    if isinstance(over, Mapping):
        return strategic_merge(base if isinstance(base, Mapping) else {}, over)
    if isinstance(over, list) and name in _KEYS:
        return _merge_list(_KEYS[name], base if isinstance(base, list) else [], over, name in _MERGED)
    return over


def _merge_list(key: str, base: list[Any], over: list[Any], merge: bool) -> list[Any]:
    merged = list(base)
    for entry in over:
        place = next((place for place, there in enumerate(merged) if _same(key, there, entry)), None)
        if place is None:
            merged.append(strategic_merge({}, entry) if isinstance(entry, Mapping) else entry)
        else:
            merged[place] = strategic_merge(merged[place] if merge else {}, entry)
    return merged


def _same(key: str, one: Any, other: Any) -> bool:
    return isinstance(one, Mapping) and isinstance(other, Mapping) and key in one and one[key] == other.get(key)
