"""`affirm-worker pools`."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.lazy import group
from cli.options.common import AsJson, PoolName, ShownColumns, Wide
from cli.screen import output
from cli.screen.table import Column, chosen
from cli.screen.words import cell, in_words
from cli.session import session
from dataset_jobs.model.pools import MAX_RUNNING_LIMIT
from dataset_jobs.store.views import PoolStatus
from services.obstacle_words import is_blocked
from services.pools import PoolChange, PoolDetails, RecentRuns

LIST_EPILOG = """
\b
Examples:
  affirm-worker pools list
  affirm-worker pools list --json
"""
SHOW_EPILOG = """
\b
Examples:
  affirm-worker pools show default
  affirm-worker pools show default --json
"""
PAUSE_EPILOG = """
\b
Examples:
  affirm-worker pools pause default
  affirm-worker pools pause default --reason "the database moves tonight"
"""
RESUME_EPILOG = """
\b
Examples:
  affirm-worker pools resume default
"""
PROBE_EPILOG = """
\b
Examples:
  affirm-worker pools probe default
"""
SET_EPILOG = """
\b
Examples:
  affirm-worker pools set default --max 20
  affirm-worker pools set default --max 20 --dry-run
  affirm-worker pools set default --max-pending 10 --json
"""
POOLS = [
    Column("pool"),
    Column("state"),
    Column("in use", right=True),
    Column("max", right=True),
    Column("queued", right=True),
    Column("running", right=True, spare=2),
    Column("desired", right=True, spare=1),
    Column("described by", spare=3),
    Column("why", below="affirm-worker pools show NAME"),
]
commands = group("pools")


@commands.command("list", epilog=LIST_EPILOG)
def list_pools(wide: Wide = False, columns: ShownColumns = None, as_json: AsJson = False) -> None:
    """Lists pools: their states, limits and queues, and why so many runs are desired."""
    with session() as it:
        found = it.client.pools.list()
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        POOLS,
        [
            [
                pool.name, _state(pool), pool.in_use, pool.max_running, pool.queued, pool.runs_working, pool.desired,
                _described_by(pool), "; ".join(_why(pool)),
            ]
            for pool in found
        ],
        "there are no pools",
        chosen(columns, wide),
    )  # fmt: skip


@commands.command("show", epilog=SHOW_EPILOG)
def show(name: PoolName, as_json: AsJson = False) -> None:
    """Shows a pool with its controllers, and with the runs of the last 24 hours by their ends."""
    with session() as it:
        details = it.client.pools.details(name)
    if as_json:
        output.print_json(details)
        return
    output.say(*(f"{label:<15}{value}" for label, value in _lines(details)))


@commands.command("pause", epilog=PAUSE_EPILOG)
def pause(
    name: PoolName,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, for those who look at the pool later.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pauses a pool: no job is started any more, until it is resumed.

    Runs at work go on to their ends. Jobs can still be submitted; they wait.
    """
    with session() as it:
        pool = it.client.pools.pause(name, reason)
    if as_json:
        output.print_json(pool)
    else:
        output.say(f"pool {name} is paused; {_jobs(pool.queued)} in it; {_at_work(pool.in_use)}")


@commands.command("resume", epilog=RESUME_EPILOG)
def resume(name: PoolName, as_json: AsJson = False) -> None:
    """Resumes a paused pool, and tries a blocked one at once.

    A blocked pool tries one run at a time by itself, at most a minute apart, and goes on as soon as a run starts. This
    makes the next try due now; use it when you have fixed the fault.
    """
    with session() as it:
        pool = it.client.pools.resume(name)
    if as_json:
        output.print_json(pool)
    elif pool.blocked_since is not None:
        output.say(f"{in_words(is_blocked(pool))}; one run is tried now, and the pool goes on when it starts")
    else:
        output.say(f"pool {name} is open; {_jobs(pool.queued)} in it")


@commands.command("probe", epilog=PROBE_EPILOG)
def probe(name: PoolName, as_json: AsJson = False) -> None:
    """Tries a run of a blocked pool now; the pool goes on as soon as one starts.

    A blocked pool does so by itself, at most a minute apart. This leaves a pause as it is: while a pool is paused,
    nothing is tried.
    """
    with session() as it:
        pool = it.client.pools.probe(name)
    if as_json:
        output.print_json(pool)
    elif pool.blocked_since is None:
        output.say(f"pool {name} is not blocked, so there is nothing to try; {_jobs(pool.queued)} in it")
    elif pool.paused:
        output.say(f"pool {name} is paused, so nothing is tried until somebody resumes it")
    else:
        output.say(f"{in_words(is_blocked(pool))}; one run is tried now, and the pool goes on when it starts")


@commands.command("set", epilog=SET_EPILOG)
def change(
    name: PoolName,
    maximum: Annotated[
        int | None,
        typer.Option(
            "--max", min=0, max=MAX_RUNNING_LIMIT, metavar="N",
            help="The most runs at once, of all controllers together.",
        ),
    ] = None,
    max_pending: Annotated[
        int | None,
        typer.Option(
            min=1, max=MAX_RUNNING_LIMIT, metavar="N",
            help="The most runs that have not started: pods that wait for a node, say.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Changes the maxima of a pool.

    A lower maximum ends no run: nothing is started until fewer are at work. The change holds until somebody makes
    another one; a restarted controller leaves it, unless its POOL_MAX_PARALLELISM or POOL_MAX_PENDING was changed. Each
    controller of the process launcher also keeps to its own WORKER_CONCURRENCY.
    """
    if maximum is None and max_pending is None:
        raise typer.BadParameter("expected at least one of them", param_hint="'--max', '--max-pending'")
    with session() as it:
        done = it.client.pools.set(name, max_running=maximum, max_pending=max_pending, dry_run=dry_run)
    if as_json:
        output.print_json(done)
    else:
        output.say(*_changes(done, dry_run))


def _changes(done: PoolChange, dry_run: bool) -> Iterator[str]:
    before, after = done.before, done.after
    verb = "would have" if dry_run else "has"
    pairs = [
        ("runs at once", before.max_running, after.max_running),
        ("runs that have not started", before.max_pending, after.max_pending),
    ]
    for what, old, new in pairs:
        if old != new:
            had = "no such limit" if old is None else f"{old:,}"
            yield f"pool {after.name} {verb} at most {new:,} {what}; it {'has' if dry_run else 'had'} {had}"
    if before == after:
        yield f"pool {after.name} is so already: at most {after.max_running:,} runs at once"
    if after.max_running == 0:
        yield f"with 0 nothing of it is started until somebody raises that; {_jobs(after.queued)} in it"
    if after.in_use > after.max_running > 0:
        yield f"{after.in_use:,} are at work and go on; nothing is started until fewer than {after.max_running:,} are"


def _jobs(count: int) -> str:
    if not count:
        return "no job waits"
    return "1 job waits" if count == 1 else f"{count:,} jobs wait"


def _at_work(count: int) -> str:
    if not count:
        return "no run is at work"
    return "1 run goes on to its end" if count == 1 else f"{count:,} runs go on to their ends"


def _state(pool: PoolStatus) -> str:
    return "paused" if pool.paused else "blocked" if pool.blocked_since else "open"


def _described_by(pool: PoolStatus) -> str:
    if not pool.described:
        return "settings"
    return f"ParserPool {pool.described_in}/{pool.name}" if pool.described_in else f"ParserPool {pool.name}"


def _why(pool: PoolStatus) -> Iterator[str]:
    """Why it is in its state, and why so many runs are desired."""
    if pool.paused and (pool.paused_since is not None or pool.paused_reason):
        since = f" since {cell(pool.paused_since)}" if pool.paused_since else ""
        yield f"paused{since}{f': {pool.paused_reason}' if pool.paused_reason else ''}"
    if pool.refusal is not None:
        yield f"its ParserPool is refused: {pool.refusal}"
    if pool.blocked_since is not None:
        yield in_words(is_blocked(pool)).removeprefix(f"pool {pool.name} is ")
    if pool.reason is not None and pool.has_work:
        yield f"{pool.desired:,} desired: {pool.reason}"


def _lines(details: PoolDetails) -> Iterator[tuple[str, Any]]:
    pool = details.pool
    yield "pool", pool.name
    yield "described by", _described_by(pool)
    yield "state", _state(pool)
    if pool.refusal is not None:
        yield "refused", pool.refusal
    if pool.paused:
        yield "paused", f"since {cell(pool.paused_since)}{f': {pool.paused_reason}' if pool.paused_reason else ''}"
    if pool.blocked_since is not None:
        yield "blocked", in_words(is_blocked(pool)).removeprefix(f"pool {pool.name} is blocked ")
        yield "next try", cell(pool.probe_at)
    yield "maximum", f"{pool.max_running:,} runs, {pool.in_use:,} in use"
    yield "max pending", "no limit" if pool.max_pending is None else f"{pool.max_pending:,} runs that have not started"
    yield (
        "jobs",
        f"{pool.queued:,} queued, {pool.scheduled:,} scheduled, {pool.running:,} running, {pool.failed:,} failed",
    )
    yield (
        "runs",
        f"{pool.runs_claimed:,} claimed, {pool.runs_launched:,} launched, {pool.runs_working:,} working, "
        f"{pool.runs_ending:,} ending",
    )
    if pool.desired is not None and pool.has_work:
        yield "desired", f"{pool.desired:,} since {cell(pool.decided_at)}: {pool.reason}"
    for number, one in enumerate(details.controllers):
        yield "controllers" if number == 0 else "", f"{one.owner} ({one.launcher})"
    if not details.controllers:
        yield "controllers", "none that is running claims from it"
    for number, recent in enumerate(details.recent):
        yield "last 24 hours" if number == 0 else "", _recent(recent)
    if not details.recent:
        yield "last 24 hours", "no run has started"


def _recent(recent: RecentRuns) -> str:
    runs = "1 run" if recent.runs == 1 else f"{recent.runs:,} runs"
    return f"{runs} {recent.cause or 'at work, or not settled yet'}, the last one {cell(recent.last_at)}"
