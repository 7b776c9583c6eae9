"""Operations in words: what one does and to what, where it stands, and what is still to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dataset_jobs.model.sentences import Sentence, counted, duration, sentence
from services.actions import Offer, Target, Verb
from services.operation_acts import Doing, Options
from services.operations import Operation

_DOES: Mapping[Doing, tuple[str, str]] = {
    Doing.RETRY: ("retry", "retried"),
    Doing.CANCEL: ("cancel", "cancelled"),
    Doing.SET: ("change", "changed"),
    Doing.REPROCESS: ("load again", "queued to be loaded again"),
    Doing.DELETE: ("delete", "deleted"),
    Doing.PURGE: ("remove", "removed"),
}
"""What it does, and what has become of those that it was done to."""

_LABELS = {
    "states": "State", "causes": "Cause", "reason": "Reason", "pool": "Pool", "country": "Country", "file": "File name",
    "batch": "Batch", "kind": "Type", "dataset_id": "Dataset", "since": "Submitted since", "until": "Submitted until",
    "ended_since": "Ended since", "statuses": "Status", "sha256": "SHA-256", "year": "Year", "measure": "Measure",
    "region": "Region", "superseded": "Superseded",
}  # fmt: skip
"""The conditions of a filter that people are told of, in this order."""

_TIMES = ("since", "until", "ended_since")


@dataclass(frozen=True, slots=True)
class OperationStory:
    """An operation in words.

    Args:
        title: what it does, and to how many.
        things: what it does it to: `job` or `dataset`.
        stands: how far it is, or how it ended.
        left: how many nobody has dealt with.
        share: of what is dealt with, 0 to 1; None if there was nothing.
        which: the conditions of its filter and what it was told, each with a label.
        actions: what can be done about it.
    """

    operation: Operation
    title: str
    things: str
    stands: Sentence
    left: int
    share: float | None
    which: Sequence[tuple[str, Sentence]]
    actions: Sequence[Offer]


def operation_story(operation: Operation) -> OperationStory:
    """Tells of an operation."""
    left = max(0, operation.of - operation.done)
    running = operation.state == "running"
    cancel = Offer(Verb.CANCEL, Target.OPERATION, str(operation.id), "Cancel the operation")
    return OperationStory(
        operation,
        title_of(operation.action, operation.of),
        _things(_doing(operation.action)),
        _stands(operation, left),
        left,
        operation.done / operation.of if operation.of else None,
        [*_filter_words(operation.filter), *_option_words(Options.from_json(operation.options))],
        [cancel] if running else [],
    )


def title_of(action: str, count: int) -> str:
    """What an operation does to so many, such as `retry 27 jobs`."""
    doing = _doing(action)
    if doing is None:
        return f"{action}: {count:,}"
    return f"{_DOES[doing][0]} {counted(count, _things(doing))}"


def _things(doing: Doing | None) -> str:
    return "dataset" if doing is not None and doing.is_of_datasets else "job"


def _doing(action: str) -> Doing | None:
    return Doing(action) if action in set(Doing) else None


def _stands(operation: Operation, left: int) -> Sentence:
    doing = _doing(operation.action)
    word = _DOES[doing][1] if doing is not None else "dealt with"
    done = f"{operation.done - operation.failed:,} of {operation.of:,} are {word}"
    if operation.failed:
        done += f", {operation.failed:,} cannot be"
    match operation.state:
        case "running" if operation.is_at_work:
            return sentence("{}; {} to go", done, f"{left:,}")
        case "running":
            text = "{}; {} to go. Nobody is at it just now: any API server or controller goes on where it stopped"
            return sentence(text, done, f"{left:,}")
        case "completed":
            gone = f", {left:,} did not match any more" if left else ""
            return sentence("it is over: {}", done + gone if operation.of else "nothing matched")
        case "cancelled":
            text = "{} has cancelled it at {}: {}, {} left as they were. What was done stays done"
            rest = f"{left:,} is" if left == 1 else f"{left:,} are"
            return sentence(text, operation.cancelled_by, operation.ended_at, done, rest)
        case _:
            return sentence("it could not go on: {}. Before that {}", operation.error, done)


def _filter_words(kept: Mapping[str, Any]) -> list[tuple[str, Sentence]]:
    words = []
    for name, label in _LABELS.items():
        if name not in kept:
            continue
        value = kept[name]
        if name in _TIMES:
            value = datetime.fromisoformat(value)
        elif isinstance(value, list):
            value = " or ".join(value)
        elif name == "superseded":
            value = "yes" if value else "no"
        words.append((label, sentence("{}", value)))
    return words or [("Which", sentence("all"))]


def _option_words(options: Options) -> list[tuple[str, Sentence]]:
    said: list[tuple[str, int | str | datetime | timedelta | None]] = [
        ("New priority", options.priority), ("To run at", options.run_at), ("New pool", options.pool),
        ("Finished longer ago than", None if options.older_than is None else duration(options.older_than)),
    ]  # fmt: skip
    return [(label, sentence("{}", value)) for label, value in said if value is not None]
