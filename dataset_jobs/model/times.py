"""Times that Python cannot hold: Postgres knows infinity, and more years."""

from datetime import UTC, datetime

ENDLESS = datetime.max.replace(tzinfo=UTC)
"""Stands for every time in the database after the year 9999: `infinity`, too."""

BEGINLESS = datetime.min.replace(tzinfo=UTC)
"""Stands for every time in the database before the year 1."""

LAST = datetime(9999, 1, 1, tzinfo=UTC)
"""No job may be asked to run later. The database holds the same bound (0009_bounds.sql)."""


def local_time(moment: datetime, layout: str) -> str:
    """A time by this machine's clock, formatted by `strftime`; in words if it is out of range."""
    if moment >= ENDLESS:
        return "after the year 9999"
    if moment <= BEGINLESS:
        return "before the year 1"
    try:
        return moment.astimezone().strftime(layout)
    except (OverflowError, ValueError):  # its time zone is what puts it out of range
        return moment.strftime(layout)
