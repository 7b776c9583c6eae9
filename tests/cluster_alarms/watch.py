"""Brings a cause about, and measures until its alerts fire and until they are over."""

import sys
import time
from collections.abc import Collection
from dataclasses import dataclass

from tests.cluster_alarms.causes import Cause
from tests.cluster_alarms.place import Place

FIRES_SECONDS = 200.0
IS_OVER_SECONDS = 240.0
PAUSE_SECONDS = 0.3
PREFIX = "AffirmWorker"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an alert.

    Args:
        alert: its name.
        how: the cause, and what took it away.
        fired, cleared: seconds from the cause's beginning, and from when it was taken away; None: it did not happen.
        error: what went wrong.
    """

    alert: str
    how: str
    fired: float | None = None
    cleared: float | None = None
    error: str = ""


def provoke(place: Place, cause: Cause) -> list[Seen]:
    """Brings it about, waits, takes it away and waits again; says what came of each of its alerts."""
    began = time.monotonic()

    def begins() -> None:
        nonlocal began
        began = time.monotonic()

    names = [PREFIX + name for name in cause.alerts]
    fired: dict[str, float] = {}
    cleared: dict[str, float] = {}
    error = ""
    try:
        with cause.provoke(place, begins):
            _until(place, cause, names, True, fired, FIRES_SECONDS)
            fired = {name: at - began for name, at in fired.items()}
            _say(cause, f"fired after {sorted(round(at) for at in fired.values())} s")
            unseen = [name for name in fired if not place.promtool_sees(name)]
            error = f"promtool does not see {unseen}" if unseen else ""
            removed = time.monotonic()
        _until(place, cause, fired, False, cleared, IS_OVER_SECONDS)
        cleared = {name: at - removed for name, at in cleared.items()}
        _say(cause, f"over after {sorted(round(at) for at in cleared.values())} s")
    except Exception as wrong:  # the others are still to be provoked
        error = f"{type(wrong).__name__}: {wrong}"
        _say(cause, error)
    return [Seen(name, cause.how, fired.get(name), cleared.get(name), error) for name in names]


def _until(
    place: Place, cause: Cause, names: Collection[str], fires: bool, seen: dict[str, float], seconds: float
) -> None:
    """Notes when each of these alerts fires about the cause's pool, or does not any more; returns in time anyway."""
    until = time.monotonic() + seconds
    while len(seen) < len(names) and time.monotonic() < until:
        now = {name for name, pool in place.firing() if pool == cause.pool}
        for name in names:
            if (name in now) is fires:
                seen.setdefault(name, time.monotonic())
        time.sleep(PAUSE_SECONDS)


def _say(cause: Cause, what: str) -> None:
    print(f"{', '.join(cause.alerts)}: {what}", file=sys.stderr, flush=True)
