"""ParserPools that no controller heeds: they name one that is not there. Pure."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from controller.pools.resource import controller_of
from controller.pools.status import condition

GRACE_SECONDS = 60.0
"""How long a controller may take to say that it has seen a generation: it may be starting."""

UNSERVED = "Unserved"


@dataclass(slots=True)
class Unheeded:
    """Watches the ParserPools of other controllers of the namespace.

    Whoever heeds a ParserPool writes the generation that it has seen into the status, within seconds. Nothing else is
    known of the others: they may work on another database, in a cluster or outside.

    Args:
        controller: the name by which ParserPools choose this one.
    """

    controller: str
    since: dict[str, tuple[int, float]] = field(default_factory=dict)
    found: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """By name, those that nobody heeds."""

    def look(self, listed: Iterable[dict[str, Any]]) -> None:
        """Takes the ParserPools of the namespace, as they are now."""
        now = time.monotonic()
        waiting = {
            one["metadata"]["name"]: one
            for one in listed
            if controller_of(one) != self.controller
            and "deletionTimestamp" not in one["metadata"]
            and not is_heeded(one)
        }
        since = {name: (one["metadata"]["generation"], now) for name, one in waiting.items()}
        for name, (generation, _) in since.items():
            before = self.since.get(name)
            if before is not None and before[0] == generation:
                since[name] = before
        self.since = since
        self.found = {name: one for name, one in waiting.items() if now - since[name][1] >= GRACE_SECONDS}

    def says(self, resource: Mapping[str, Any]) -> str:
        """What is wrong with one of them, and what to do."""
        name = resource["metadata"]["name"]
        return (
            f"ParserPool {name} names the controller {controller_of(resource)}, and none of that name heeds it:"
            f" this one heeds those with spec.controller: {self.controller}"
        )

    def status(self, resource: Mapping[str, Any]) -> dict[str, Any] | None:
        """The status that says so; None if it does already."""
        before = resource.get("status") or {}
        old = {one["type"]: one for one in before.get("conditions") or ()}
        was, truth = old.pop("Ready", {}), (False, "NoController", self.says(resource))
        ready = condition("Ready", truth, resource["metadata"]["generation"], datetime.now(UTC), was)
        return None if ready == was else {**before, "state": UNSERVED, "conditions": [ready, *old.values()]}


def older_definition(lacking: Iterable[str]) -> str:
    """That the cluster knows an older kind of ParserPools, and what follows from it."""
    return (
        f"the cluster's ParserPools are of an older version, without {', '.join(sorted(lacking))}: what is set there is"
        " dropped. No release upgrades their definition, or one that is older: an administrator of the cluster has to"
        " apply charts/affirm-worker/files/parserpools.yaml"
    )


def is_heeded(resource: Mapping[str, Any]) -> bool:
    """Whether a controller has seen its newest generation."""
    seen = (resource.get("status") or {}).get("observedGeneration")
    return bool(seen == resource["metadata"]["generation"])
