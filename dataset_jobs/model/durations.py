"""Durations and times as people write them: `5s`, `500ms`, `1m30s`; `2026-12-01T06:00`."""

import re
from datetime import datetime, timedelta

from dataset_jobs.model.times import LAST

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = r"([0-9]{1,20}(?:\.[0-9]{1,20})?)(ms|s|m|h|d)"

LONGEST = timedelta(days=36_500)
"""A hundred years: longer ones lead to times that neither Python nor Postgres has."""


def parse_duration(text: str) -> timedelta:
    """Reads a duration; raises ValueError."""
    if not re.fullmatch(f"(?:{_PART})+", text.strip()):
        raise ValueError("a number and its unit: ms, s, m, h or d")
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in re.findall(_PART, text))
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"at most {format_duration(LONGEST)}")
    return timedelta(seconds=seconds)


def parse_when(text: str) -> datetime | timedelta:
    """Reads a duration from now, or a time; without a zone it is in this machine's.

    Raises:
        ValueError: it is neither, or too far away.
    """
    if re.fullmatch(f"(?:{_PART})+", text.strip()):
        return parse_duration(text)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("a time such as 2026-12-01T06:00+01:00, or a duration such as 30m or 12h") from None
    return time_in_range(moment)


def time_in_range(moment: datetime) -> datetime:
    """A time that a job may be asked to run at; without a zone it is in this machine's. Raises ValueError."""
    try:
        moment = moment.astimezone()
    except (ValueError, OverflowError):  # the first or last day that there is, in another time zone
        raise ValueError(_IN_RANGE) from None
    if moment >= LAST:
        raise ValueError(_IN_RANGE)
    return moment


_IN_RANGE = f"a time of the years 1 to {LAST.year - 1}"


def format_duration(duration: timedelta) -> str:
    """Writes a duration as `parse_duration` reads it, the shortest way."""
    milliseconds = round(duration.total_seconds() * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, milliseconds = divmod(milliseconds, round(_SECONDS[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
