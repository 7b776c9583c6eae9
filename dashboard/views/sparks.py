"""Small lines without axes: how a value went, beside the value itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataset_jobs.model.sentences import Sentence, sentence

WIDTH, HEIGHT = 108, 20


@dataclass(frozen=True, slots=True)
class Spark:
    """A line.

    Args:
        lines: its parts as SVG has points; there are gaps where nothing is known.
        sentence: the same for whoever does not see it.
    """

    lines: Sequence[str]
    sentence: Sentence


def spark_of(values: Sequence[float | None]) -> Spark | None:
    """The line of a queue, the oldest value first; None if nothing is known of it."""
    known = [one for one in values if one is not None]
    if not known:
        return None
    most, step = max(known), WIDTH / max(1, len(values) - 1)
    parts, part = list[str](), list[str]()
    for number, value in enumerate([*values, None]):
        if value is not None:
            height = HEIGHT - 1 - (value / most if most else 0) * (HEIGHT - 2)
            part.append(f"{number * step:.1f},{height:.1f}")
        elif part:
            # A line of one point is none, so it gets a width.
            parts.append(" ".join(part if len(part) > 1 else [*part, f"{number * step - step / 2:.1f},{height:.1f}"]))
            part = []
    return Spark(parts, sentence(f"at most {most:,.0f} queued within 3 hours, {known[-1]:,.0f} at last"))
