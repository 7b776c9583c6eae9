"""How pages write values: times, durations, numbers, sentences. The filters of the templates.

Nothing that is not known is written as a zero: it is a dash.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from dataset_jobs.model import sentences
from dataset_jobs.model.sentences import Sentence, counted, duration, in_utc
from dataset_jobs.model.text import one_line

UNKNOWN = "–"


def finished(value: Any) -> Any:
    """What a template shows of a value: a dash if it is absent; a text from outside cannot leave its line."""
    if value is None:
        return UNKNOWN
    if isinstance(value, Sentence):
        return said(value) if value else UNKNOWN
    if isinstance(value, str) and not isinstance(value, Markup):
        return one_line(value)
    return value


def said(sentence: Sentence | str) -> Markup:
    """A sentence whose times are times for programs too."""
    if isinstance(sentence, str):
        return escape(one_line(sentence))
    return Markup("").join(
        moment(part) if isinstance(part, datetime) else escape(one_line(part)) for part in sentence.parts
    )


def lines(text: str) -> Markup:
    """A text of ours whose lines stay lines, for `pre`."""
    return Markup("\n").join(escape(one_line(line)) for line in text.splitlines())


def moment(at: datetime | None) -> Markup:
    """A time. A script may write it in the viewer's time zone."""
    if at is None:
        return Markup(UNKNOWN)
    text = in_utc(at)
    return Markup('<time datetime="{}">{}</time>').format(_iso(at) or text, text)


def ago(at: datetime | None, now: datetime) -> Markup:
    """How long ago a time was, with the time itself for whoever points at it."""
    if at is None:
        return Markup(UNKNOWN)
    text = f"{duration(now - at)} ago" if at <= now else f"in {duration(at - now)}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(_iso(at) or in_utc(at), in_utc(at), text)


def span(seconds: float | timedelta | None) -> str:
    """How long something takes, or has taken."""
    if seconds is None:
        return UNKNOWN
    return duration(seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds))


def since(now: datetime, at: datetime) -> str:
    """How long something has lasted by now."""
    return duration(now - at)


def number(value: float | None) -> str:
    """A number with its thousands apart."""
    return UNKNOWN if value is None else f"{value:,}"


def several(count: int | None, thing: str) -> str:
    """How many of a thing, such as `1 row` or `2,500 rows`."""
    return UNKNOWN if count is None else counted(count, thing)


def percent(share: float | None) -> str:
    """A share, which is not 100 % before all of it is."""
    return UNKNOWN if share is None else sentences.percent(share)


def size(count: int | None) -> str:
    """Bytes as people read them."""
    return UNKNOWN if count is None else sentences.size(count)


def capital(text: Sentence | str) -> Sentence | str:
    """A sentence with a capital letter at its beginning, unless it begins with the name of a file or of a thing."""
    if isinstance(text, str):
        return text[:1].upper() + text[1:] if _WORD.match(text) else text
    first = text.parts[0] if text.parts else ""
    if not isinstance(first, str) or not _WORD.match(first):
        return text
    return Sentence((first[:1].upper() + first[1:], *text.parts[1:]))


_WORD = re.compile(r"[^\W\d_]['’a-z-]*(?:[,;:.]?(?:\s|$))")


def _iso(at: datetime) -> str | None:
    try:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError):
        return None


FILTERS: Mapping[str, Callable[..., Any]] = {
    "said": said, "moment": moment, "ago": ago, "span": span, "number": number, "percent": percent, "size": size,
    "capital_first": capital, "since": since,
    "several": several, "lines": lines,
}  # fmt: skip
