"""Jobs, runs, pools and controllers as tests change them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from dataset_jobs.store.views import ControllerStatus, JobView, PoolStatus, RunView, ScheduleView, Status

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
JOB = JobView(
    id=UUID(int=1), dataset_id=UUID(int=2), country="US", filename="yob2020.txt", type="parse_dataset",
    pool="default", priority=0, state="queued", attempts=0, interruptions=0, give_backs=0, run_at=NOON,
    created_at=NOON, finished_at=None, cancel_requested_at=None, blocked_since=None, retried_at=[],
    last_cause=None, last_error=None, size=12345, described=False, bytes_done=None, rows_done=None,
)  # fmt: skip
RUN = RunView(
    epoch=1, launcher="kubernetes", owner="c/1", claimed_at=NOON, launched_at=None, launch_name=None,
    started_at=None, runner_uid=None, pod_name=None, node=None, lease_until=NOON, bytes_done=0, rows_done=0,
    committed_at=None, ended_at=None, cause=None, reason=None, error=None, outcome=None, evidence=None,
    decision=None, waits_for=None, waits_for_error=None, released_at=None,
)  # fmt: skip
QUIET = Status([], [], 1, [], [])


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


POOL = PoolStatus(
    name="default", desired=2, min_running=0, max_running=2, limited_by="maximum",
    reason="3 jobs wait and 2 run, 1 per runner; at the maximum of 2", decided_by="c/1", decided_at=NOON,
    max_pending=100, paused=False, paused_since=None, paused_reason=None, described=False, described_in=None,
    refusal=None,
    blocked_since=None, blocked_cause=None,
    blocked_reason=None, blocked_error=None, probe_at=None, queued=3, scheduled=0, running=2, failed=0,
    oldest_wait_seconds=1.5, runs_claimed=0, runs_launched=1, runs_working=1, runs_ending=0, runs_waiting=0,
    waits_for_error=None, runs_unanswered=0, unanswered_since=None, unanswered_error=None,
)  # fmt: skip
BLOCKED = replace(
    POOL, blocked_since=NOON, blocked_cause="cannot_start", blocked_reason="image", blocked_error="not found",
    probe_at=later(9),
)  # fmt: skip
FAILING = ScheduleView(
    name="ssa", cron="0 3 * * *", timezone="UTC", location="in/us", country="US", pool="default", priority=0,
    paused=False, next_at=NOON, looking=False, looked_at=None, files=None, submitted=None, failures=3,
    error="no such folder", again_at=later(9), url=None, filename=None, year_hint=None, sex_hint=None, format_hint=None,
    region_hint=None, description=None, etag=None, last_modified=None, note=None,
)  # fmt: skip
ALIVE = ControllerStatus(
    owner="c/1", launcher="process", pools=["default"], last_claim=NOON, unreleased=1, heard_of_until=later(70),
    started_at=NOON, seen_at=later(59), silent_seconds=1.0, trouble=None, trouble_permanent=False, trouble_since=None,
    trouble_tries=0,
)  # fmt: skip
GONE = replace(ALIVE, seen_at=later(10), silent_seconds=50.0)
STUCK = replace(
    ALIVE, trouble="permission denied", trouble_permanent=True, trouble_since=later(20), trouble_tries=7
)  # fmt: skip
