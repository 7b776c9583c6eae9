"""Sentences that every surface says alike. A time stays a time in them: each surface writes it in its own way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dataset_jobs.model.text import one_line
from dataset_jobs.model.times import BEGINLESS, ENDLESS, local_time

NOTHING = "-"
"""An absent value."""

_SIZES = (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000))


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words and times, in order; as a text, the times are in UTC."""

    parts: tuple[str | datetime, ...] = ()

    def said(self, write: Callable[[datetime], str]) -> str:
        """The text.

        Args:
            write: how a time is written.
        """
        return "".join(part if isinstance(part, str) else write(part) for part in self.parts)

    def __str__(self) -> str:
        return self.said(in_utc)

    def __bool__(self) -> bool:
        return bool(self.parts)


def sentence(template: str, *values: Any) -> Sentence:
    """A sentence in whose template `{}` stands for one of the values, each a text, a number, a time or a sentence."""
    words = template.split("{}")
    assert len(words) == len(values) + 1, template
    parts: list[str | datetime] = [words[0]]
    for value, after in zip(values, words[1:], strict=True):
        match value:
            case Sentence():
                parts += value.parts
            case datetime():
                parts.append(value)
            case _:
                parts.append(written(value))
        parts.append(after)
    return Sentence(tuple(part for part in parts if part != ""))


def joined(separator: str, sentences: list[Sentence]) -> Sentence:
    """Several as one."""
    return sentence(separator.join(["{}"] * len(sentences)), *sentences) if sentences else Sentence()


def written(value: Any) -> str:
    """A value on one line; a dash if it is absent."""
    if value is None or value == "":
        return NOTHING
    return one_line(" ".join(str(value).split()))


def in_utc(moment: datetime) -> str:
    """A time in UTC, to the second; in words if it is out of range."""
    if moment >= ENDLESS or moment <= BEGINLESS:
        return local_time(moment, "")
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError):  # its time zone is what puts it out of range
        return moment.strftime("%Y-%m-%d %H:%M:%S %z")


def duration(time: timedelta) -> str:
    """A span of time as people say it, to the second; a short one to the tenth."""
    seconds = max(0.0, time.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 72 else f"{round(seconds / 86400)} days"


def percent(share: float) -> str:
    """A share, which is not 100 % before all of it is."""
    whole = round(share * 100)
    return f"{99 if whole == 100 and share < 1 else whole} %"


def size(count: int) -> str:
    """Bytes as people read them."""
    for unit, of in _SIZES:
        if count >= of:
            return f"{count / of:.1f} {unit}"
    return counted(count, "byte")


def counted(count: int | str, thing: str) -> str:
    """How many of a thing, such as `1 job` or `2,500 jobs`; a count may be in words already."""
    return f"{count if isinstance(count, str) else f'{count:,}'} {thing}{'' if count == 1 else 's'}"
