"""Durations and times as people write them: `5s`, `500ms`, `1m30s`; `2026-12-01T06:00`."""

import re
from datetime import datetime, timedelta

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = r"(\d+(?:\.\d+)?)(ms|s|m|h|d)"


def parse_duration(text: str) -> timedelta:
    """Reads a duration; raises ValueError."""
    if not re.fullmatch(f"(?:{_PART})+", text.strip()):
        raise ValueError("a number and its unit: ms, s, m, h or d")
    return timedelta(seconds=sum(float(n) * _SECONDS[unit] for n, unit in re.findall(_PART, text)))


def parse_when(text: str) -> datetime | timedelta:
    """Reads a time, which is in this machine's time zone where it names none, or a duration from now.

    Raises:
        ValueError: it is neither.
    """
    try:
        return parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise ValueError("a time such as 2026-12-01T06:00+01:00, or a duration such as 30m or 12h") from None


def format_duration(duration: timedelta) -> str:
    """Writes a duration as `parse_duration` reads it, the shortest way."""
    milliseconds = round(duration.total_seconds() * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, milliseconds = divmod(milliseconds, round(_SECONDS[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
