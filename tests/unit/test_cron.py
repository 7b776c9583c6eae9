"""When schedules are due: as Debian's cron has it, also where the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dataset_jobs.model.errors import Unavailable
from services.cron import next_tick
from tests.faults.conditions import no_more_open_files


def ticks(cron: str, timezone: str, after: str, count: int) -> list[str]:
    time = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = []
    for _ in range(count):
        time = next_tick(cron, timezone, time)
        found.append(f"{time:%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("cron", "timezone", "after", "expected"),
    [
        ("0 3 * * 1", "UTC", "2026-11-24 12:00", ["11-30 03:00", "12-07 03:00"]),
        ("0 3 * * 1", "Europe/Paris", "2026-11-24 12:00", ["11-30 02:00", "12-07 02:00"]),
        ("30 2 * * *", "Europe/Paris", "2026-03-28 12:00", ["03-29 01:00", "03-30 00:30"]),  # 02:30 is skipped
        ("30 2 * * *", "Europe/Paris", "2026-10-24 12:00", ["10-25 00:30", "10-26 01:30"]),  # 02:30 comes twice
        ("0 */6 * * *", "America/New_York", "2026-03-08 00:00", ["03-08 05:00", "03-08 10:00", "03-08 16:00"]),
        ("*/30 * * * *", "Europe/Paris", "2026-10-25 00:10", ["10-25 00:30", "10-25 01:00", "10-25 01:30"]),
        ("0 0 29 2 *", "UTC", "2026-11-24 12:00", ["02-29 00:00"]),
    ],
)
def test_the_next_ticks(cron: str, timezone: str, after: str, expected: list[str]) -> None:
    assert ticks(cron, timezone, after, len(expected)) == expected


def test_a_tick_is_after_the_given_time() -> None:
    """Never at it."""
    at = datetime(2026, 11, 30, 3, tzinfo=UTC)
    assert next_tick("0 3 * * *", "UTC", at) == at + timedelta(days=1)
    assert next_tick("0 3 * * *", "UTC", at - timedelta(microseconds=1)) == at


@pytest.mark.parametrize(
    ("cron", "timezone", "said"),
    [
        ("0 3 * * 1", "Europe/Pari", "there is no time zone 'Europe/Pari'"),
        ("0 3 * * 1", "../../etc/passwd", "there is no time zone"),
        ("0 3 * * 1", "", "there is no time zone"),
        ("0 3 * *", "UTC", "expected minute, hour"),
        ("* * * * * *", "UTC", "expected minute, hour"),
        ("@daily", "UTC", "expected minute, hour"),
        ("61 3 * * *", "UTC", "'61 3 [*] [*] [*]': bad minute"),
        ("0 0 31 2,4 *", "UTC", "bad day-of-month|no day is such a one"),
        ("* * */20 * 1L", "UTC", "no day is such a one"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_expected(cron: str, timezone: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        next_tick(cron, timezone, datetime(2026, 11, 24, tzinfo=UTC))


def test_a_time_zone_that_cannot_be_read_now_is_not_missing() -> None:
    ZoneInfo.clear_cache(only_keys=["Asia/Tokyo"])
    with no_more_open_files(), pytest.raises(Unavailable, match="EMFILE"):
        next_tick("0 3 * * *", "Asia/Tokyo", datetime(2026, 1, 1, tzinfo=UTC))
    assert ticks("0 3 * * *", "Asia/Tokyo", "2026-01-01 00:00", 1) == ["01-01 18:00"]
