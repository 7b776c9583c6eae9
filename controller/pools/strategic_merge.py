"""A strategic merge patch for pods, as `kubectl patch` does it.

Kubernetes' own rules are in its Go code and in the description of its API; pods need only these few. Maps are merged
key by key, and null removes a key. Entries of the lists below are matched by a key; all other lists are replaced.
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
"""Matching entries of these are merged. In other lists a new entry replaces its namesake: half of a Secret's variable
and half of a plain one make no valid variable, and the same holds for volumes."""


def strategic_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merges a map over another one; changes neither.

    It merges invalid values too: the API server reports them with their place.
    """
    merged = dict(base)
    for name, value in over.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_field(name, merged.get(name), value)
    return merged


def merge_field(name: str, base: Any, over: Any) -> Any:
    """Merges the value of one field, by the rules for the field's name."""
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
