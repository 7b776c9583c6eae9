"""When a schedule is due: cron expressions with a time zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from dataset_jobs.model.local_machine import is_about_the_path, machine_error


def next_tick(cron: str, timezone: str, after: datetime) -> datetime:
    """The first tick after a time, in UTC.

    Clock changes are treated as by Debian's cron: a tick that the change skips comes right after it, and one that comes
    twice counts once. Only expressions such as "every hour" or "every ten minutes" follow the elapsed time instead.

    Args:
        cron: minute, hour, day of month, month and day of week.
        timezone: an IANA name, such as Europe/Paris.
        after: with a time zone.

    Raises:
        ValueError: one of them is invalid, and why.
        Unavailable: the machine does not give the time zone now.
    """
    zone = zone_of(timezone)
    if len(cron.split()) != 5:
        raise ValueError(f"{cron!r}: expected minute, hour, day of month, month and day of week, such as '0 3 * * 1'")
    try:
        return next(CronSim(cron, after.astimezone(zone))).astimezone(UTC)
    except CronSimError as error:
        raise ValueError(f"{cron!r}: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except StopIteration:
        raise ValueError(f"{cron!r}: no day is such a one") from None


def zone_of(timezone: str) -> ZoneInfo:
    """The time zone of an IANA name; raises as `next_tick`."""
    try:
        return ZoneInfo(timezone)
    except (OSError, ValueError, KeyError) as error:  # KeyError: there is no such zone
        if isinstance(error, OSError) and not is_about_the_path(error):
            raise machine_error(error, "read a time zone") from None
        raise ValueError(f"there is no time zone {timezone!r}; expected a name such as Europe/Paris or UTC") from None


def in_words(cron: str) -> str:
    """What an expression means, such as `At 03:00 on Monday`; raises ValueError if it is none."""
    try:
        return CronSim(cron, datetime.now(UTC)).explain()
    except CronSimError as error:
        raise ValueError(str(error)) from None
