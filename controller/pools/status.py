"""The status of a ParserPool, from facts. Unchanged fields keep their exact values, and are not written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dataset_jobs.model.pools import PoolFigures
from dataset_jobs.model.text import clipped

MESSAGE_LIMIT = 1000
"""Bytes of a condition's message."""


@dataclass(frozen=True, slots=True)
class SpecState:
    """Which generation of a ParserPool is in force, and why not the newest.

    Args:
        generation: the newest one.
        refusal: why the newest generation is refused; empty if it is not.
        in_force: the generation whose template makes the runs; None if there is none: then nothing is claimed.
        template: that generation's `runner` and `podTemplate`.
        selector: finds the pool's Jobs and pods.
    """

    generation: int
    refusal: str
    in_force: int | None
    template: Mapping[str, Any]
    selector: str


def pool_status(figures: PoolFigures, spec_state: SpecState, before: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the status that have changed.

    No field changes just because time goes by: the longest wait is given by its beginning, and kubectl shows its age.

    Args:
        figures: the pool.
        spec_state: its description.
        before: the current status.
    """
    since = figures.oldest_queued_since
    status = {
        "state": _state(figures, spec_state),
        "reason": figures.reason,
        "queued": figures.queued,
        "scheduled": figures.scheduled,
        "running": figures.running,
        "pending": figures.pending,
        "desired": figures.desired,
        "oldestQueuedSince": None if since is None else _time(since),
        "selector": spec_state.selector,
        "observedGeneration": spec_state.generation,
        "inForce": _in_force(spec_state),
        "conditions": _conditions(figures, spec_state, before.get("conditions") or ()),
    }
    return {name: value for name, value in status.items() if before.get(name) != value}


def _in_force(spec_state: SpecState) -> dict[str, Any] | None:
    return None if spec_state.in_force is None else {"generation": spec_state.in_force, **spec_state.template}


def _state(figures: PoolFigures, spec_state: SpecState) -> str:
    if spec_state.refusal:
        return "Refused"
    if figures.paused:
        return "Paused"
    if figures.blocked_cause is not None:
        return "Blocked"
    return "Limited" if _limited(figures)[0] else "Open"


def condition(
    kind: str, truth: tuple[bool, str, str], generation: int, now: datetime, was: Mapping[str, Any]
) -> dict[str, Any]:
    """A condition as Kubernetes has them.

    Args:
        kind: its type.
        truth: whether it holds, the reason in a word, and the message.
        generation: what it is said of.
        now: when it has changed, if it has.
        was: the same one before; empty if there was none.
    """
    true, reason, message = truth
    status = "True" if true else "False"
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": clipped(message, MESSAGE_LIMIT),
        "lastTransitionTime": was["lastTransitionTime"] if was.get("status") == status else _time(now),
        "observedGeneration": generation,
    }


def _conditions(figures: PoolFigures, spec_state: SpecState, before: Any) -> list[dict[str, Any]]:
    old = {one["type"]: one for one in before}
    return [
        condition(kind, truth, spec_state.generation, figures.now, old.get(kind, {}))
        for kind, truth in _truths(figures, spec_state)
    ]


def _truths(figures: PoolFigures, spec_state: SpecState) -> Iterator[tuple[str, tuple[bool, str, str]]]:
    """The conditions. Messages hold no figures that change all the time."""
    yield "Ready", _ready(figures, spec_state)
    yield "Progressing", _progressing(figures)
    yield "Limited", _limited(figures)
    yield "Blocked", _blocked(figures)


def _ready(figures: PoolFigures, spec_state: SpecState) -> tuple[bool, str, str]:
    if spec_state.refusal:
        instead = (
            "and nothing of it is in force"
            if spec_state.in_force is None
            else f"and runs are made as generation {spec_state.in_force} has it"
        )
        return False, "Refused", f"generation {spec_state.generation} is refused, {instead}: {spec_state.refusal}"
    if figures.paused:
        return False, "Paused", "spec.paused is true: nothing is claimed"
    if figures.blocked_cause is not None:
        return False, "Blocked", "its runs cannot start; see Blocked"
    return True, "Serving", "jobs are claimed and runs started"


def _progressing(figures: PoolFigures) -> tuple[bool, str, str]:
    if figures.running:
        return True, "Running", "runs are at work"
    if figures.waits_for_error is not None:
        return True, "WaitingForRoom", f"pods wait for a node: {figures.waits_for_error}"
    if figures.pending:
        return True, "Starting", "runs are about to start"
    return False, "Waiting" if figures.queued else "Idle", "jobs wait" if figures.queued else "no job could run now"


def _limited(figures: PoolFigures) -> tuple[bool, str, str]:
    if figures.queued and figures.in_use >= figures.maximum:
        return True, "AtMaximum", f"jobs wait while there are as many runs as maxParallelism allows, {figures.maximum}"
    if figures.queued and figures.max_pending is not None and figures.pending >= figures.max_pending:
        return (
            True,
            "PendingPods",
            f"jobs wait while as many runs have not started as maxPendingPods allows: {figures.max_pending}",
        )
    return False, "WithinLimits", "no limit of the pool keeps jobs waiting"


def _blocked(figures: PoolFigures) -> tuple[bool, str, str]:
    if figures.blocked_cause is None:
        return False, "NotBlocked", "its runs can start"
    word = figures.blocked_reason or figures.blocked_cause
    reason = "".join(part.capitalize() for part in word.split("_"))
    return (
        True,
        reason,
        f"{figures.blocked_cause}: {figures.blocked_error}; one run at a time is tried until one starts",
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
