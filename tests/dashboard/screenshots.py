"""`make screenshots`: every page in light, dark and narrow, of four installations, as images to look at.

`FOLDER` (screenshots), `ONLY="empty normal broken many"` picks installations, `PAGES="/ /jobs"` pages by the beginning
of their routes, `JOBS` (1,000,000) is the size of `many`. Pages come from the routes; one with a parameter is shown if
`Installation.shown` names something to show.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser

from app.countries import iso_countries
from dataset_jobs import migrations
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.states import JobState
from services.filters import JobFilter
from services.operation_acts import Doing
from tests.api.client import Api, running
from tests.dashboard.browser import Tab, chromium, tab
from tests.dashboard.loading import BAD, run_all
from tests.integration.world import NATIONAL, NO_RETRIES, World
from tests.kit import many_jobs
from tests.kit.pages import UNKNOWN, page_paths
from tests.servers.postgres import PostgresServer

FOLDER = Path(os.environ.get("FOLDER") or "screenshots")
JOBS = int(os.environ.get("JOBS") or 1_000_000)
PAGES = os.environ.get("PAGES", "").split()
NARROW, WIDE = (390, 844), (1280, 900)


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    size: tuple[int, int]
    scheme: str


LOOKS = (Look("light", WIDE, "light"), Look("dark", WIDE, "dark"), Look("narrow", NARROW, "light"))


class Installation(NamedTuple):
    """An installation to look at.

    Args:
        shown: what is shown of pages with a parameter; see `page_paths`.
    """

    api: Api
    shown: dict[str, str]


DAY_OF_A_POOL = """
insert into pool_minutes (pool, minute, depth, oldest_wait_seconds, running, pending, desired, maximum, finished,
    failed, busy)
select 'default', date_trunc('minute', now()) - n * interval '1 minute', greatest(0, wave)::int, greatest(0, wave) * 9,
    least(4, greatest(0, wave))::int, 0, least(4, greatest(0, wave))::int, 4, 3, (n % 37 = 0)::int,
    60 * least(4, greatest(0, wave))
from (select n, 14 * sin(n / 25.0) + 6 * cos(n / 7.0) as wave from generate_series(1, 1440) n) made
"""

CONTROLLER = """
insert into controllers (owner, launcher, pools, seen_at, warnings)
values ('test', 'process', '{default}', now() + interval '10 minutes', '{}')
"""
"""That of the installation does not report itself."""

WORK = """
update jobs set state = 'running', lease_epoch = 1 where id = '{job_id}';
insert into runs (job_id, epoch, pool, launcher, owner, claimed_at, launched_at, launch_name, runner_uid, started_at,
    lease_until, bytes_done, rows_done)
values ('{job_id}', 1, 'default', 'process', 'test', now(), now(), 'pid-4711', 'x', now(), now() + interval '1 hour',
    301000, 17250)
"""

BLOCKED = """
update pools set blocked_since = now() - interval '1 hour 58 minutes', blocked_cause = 'cannot_start',
    blocked_reason = 'image', probe_at = now() + interval '3 minutes', probes = 5, max_running = 8,
    blocked_error = 'ErrImagePull: registry.example/affirm-parser-runner:0.1.0: 401 Unauthorized' where name = 'default'
"""

CAUSES = """
with causes as (
    select cause, error, row_number() over () - 1 as number from (values
        ('out_of_memory', 'the runner was killed at its memory limit of 512 MiB'),
        ('rejected', 'yob2002.txt, line 2: expected 3 fields separated by commas'),
        ('unavailable', 'storage: s3.example: connection refused'),
        ('crashed', 'the runner was ended by signal 11 (SIGSEGV)'),
        ('timed_out', 'the run took longer than its deadline of 1 h')) made (cause, error))
update jobs set last_cause = cause, last_error = error, attempts = 4,
    created_at = now() - interval '1 s' * (key % 9000 + 5000), finished_at = now() - interval '1 s' * (key % 5000)
from causes where state = 'failed' and number = (key / 200) % 5
"""


@contextmanager
def empty(world: World) -> Iterator[Installation]:
    """Nothing was loaded yet; nobody works."""
    with running(world) as api:
        yield Installation(api, {"pools": "default"})


@contextmanager
def normal(world: World) -> Iterator[Installation]:
    """Some files are loaded, two failed, one is at work, and one waits."""
    client = world.client
    for path in sorted(NATIONAL.glob("*.txt"))[:5]:
        world.submit(path)
    done = world.submit(NATIONAL / "yob2024.txt")
    world.submit(world.file("yob2002.txt", BAD))
    world.submit(world.file("vornamen-2011.csv", "Name;Anzahl\nAnna;12\n"), "CH")
    run_all(world, retry=NO_RETRIES)
    world.query(DAY_OF_A_POOL)
    world.query("update pools set max_running = 4")
    world.query("update datasets set batch = 'spring'")
    client.schedules.add("ssa-weekly", "0 3 * * 1", "UTC", "in/us", "US", "default")
    world.query(CONTROLLER)
    work = world.submit(
        world.file("yob1999.txt", "".join(f"Name{number},F,{number + 5}\n" for number in range(40_000)))
    )
    world.query(WORK.format(job_id=work.job_id))
    world.submit(world.file("yob1998.txt", "Mary,F,7\n"))
    with running(world) as api:
        shown = {"jobs": str(work.job_id), "datasets": str(done.dataset_id), "pools": "default"}
        yield Installation(api, {**shown, "schedules": "ssa-weekly", "uploads": "spring"})


@contextmanager
def broken(world: World) -> Iterator[Installation]:
    """Its pool is blocked, no controller runs, and jobs failed of several causes."""
    world.query(many_jobs.fill(4_000, 2_000))
    world.query(DAY_OF_A_POOL)
    world.query(CAUSES)
    world.query(BLOCKED)
    yield from _shown(world)


@contextmanager
def many(world: World) -> Iterator[Installation]:
    """A great many jobs."""
    world.query(many_jobs.fill(JOBS, max(2_000, JOBS // 20)))
    world.query(DAY_OF_A_POOL)
    world.query("update pools set max_running = 100")
    yield from _shown(world)


def _shown(world: World) -> Iterator[Installation]:
    found = world.one(
        "select jobs.id, dataset_id from jobs join datasets on datasets.id = dataset_id"
        " where state = 'failed' order by jobs.key desc limit 1"
    )
    started = world.client.operations.start(
        Doing.RETRY, JobFilter((JobState.FAILED,), (Cause.UNAVAILABLE,)), most=100_000
    )
    with running(world) as api:
        yield Installation(
            api,
            {
                "jobs": str(found["id"]),
                "datasets": str(found["dataset_id"]),
                "operations": str(started.id),
                "pools": "default",
                "uploads": "monday",
            },
        )


INSTALLATIONS: dict[str, Callable[[World], AbstractContextManager[Installation]]] = {
    "empty": empty, "normal": normal, "broken": broken, "many": many,
}  # fmt: skip


def shoot(browser: Browser, name: str, installation: Installation) -> None:
    """Takes the images of an installation."""
    paths = {
        route: path
        for route, path in page_paths(installation.shown).items()
        if not PAGES or any(route.startswith(one) for one in PAGES)
    }
    for look in LOOKS:
        scheme: Any = look.scheme
        with tab(browser, installation.api, look.size, color_scheme=scheme) as screen:
            screen.expected.append("status of")
            screen.log_in()
            for route, path in paths.items():
                _take(screen, path, FOLDER / f"{name}-{_slug(route)}-{look.name}.png")


def _slug(route: str) -> str:
    words = route.replace("{", "").replace("}", "").strip("/").replace("/", "-")
    return words or "overview"


def _take(screen: Tab, path: str, to: Path) -> None:
    screen.open(path)
    screen.page.wait_for_timeout(400)  # charts
    screen.page.screenshot(path=to, full_page=True)
    sys.stdout.write(f"{to}\n")


def main() -> None:
    """Takes the images of all installations."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = os.environ.get("ONLY", "").split() or [*INSTALLATIONS]
    with PostgresServer() as server, chromium() as browser:
        for name in wanted:
            with tempfile.TemporaryDirectory(prefix="affirm-screenshots-") as folder:
                conninfo = server.create_database(name)
                migrations.apply(conninfo, iso_countries())
                world = World(conninfo, Path(folder))
                with INSTALLATIONS[name](world) as installation:
                    shoot(browser, name, installation)
                world.client.close()
    for route in UNKNOWN:
        sys.stdout.write(f"not looked at, since nothing is said to show of it: {route}\n")


if __name__ == "__main__":
    main()
