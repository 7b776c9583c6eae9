"""The pages: their bytes, how soon they show something while 20 look on, and what 50 viewers cost.

In a database of `JOBS` (1,000,000), as bench_api makes it, every page that the dashboard has:

- its bytes, raw and over the wire, and its requests, in a real browser that has nothing of it yet;
- how long it takes to be there, and until the browser paints something, while `VIEWERS` (20) open one page after the
  other for `SECONDS` (60), resting for `PAUSE` (0.5) seconds on average. Pages are made by the server, so they are
  there with their figures;
- the memory of the API, and the statements and their time that Postgres logs, within `WATCH` (40) seconds in which
  nobody, one viewer, or `CROWD` (50) leave the overview open. A viewer has a stream, and fetches the page again
  whenever there are newer figures, every two seconds.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from playwright.sync_api import Browser, BrowserContext

from benchmarks.api_servers import Served, our_api
from benchmarks.bench_api import JOBS, database
from benchmarks.bench_load import AS_IT_COMES
from benchmarks.page_viewers import browse, cookies, looking_on
from benchmarks.report import Figure, percentile, report
from services.client import Client
from tests.dashboard.browser import WIDE, chromium
from tests.kit import many_jobs
from tests.kit.pages import UNKNOWN, page_paths
from tests.servers.postgres import PostgresServer

PAINTED = """() => new Promise((told) => {
  const look = () => {
    const [painted] = performance.getEntriesByName("first-contentful-paint");
    if (painted) told(painted.startTime); else setTimeout(look, 20);
  };
  look();
})"""
"""When a page is painted first. (Playwright's own waits need `unsafe-eval`, which pages forbid.)"""

VIEWERS = int(os.environ.get("VIEWERS") or 20)
CROWD = int(os.environ.get("CROWD") or 50)
PAUSE = float(os.environ.get("PAUSE") or 0.5)
SECONDS = float(os.environ.get("SECONDS") or 60)
WATCH = float(os.environ.get("WATCH") or 40)

RAW_GOAL = 200_000
SETTLES_SECONDS = 6
"""Until viewers have come, or are gone."""

_STATEMENT = re.compile(r"^affirm-worker clients LOG:  duration: ([\d.]+) ms(  (?:statement|execute))?", re.MULTILINE)


@dataclass
class Loaded:
    """What a browser has loaded of a page."""

    raw: int = 0
    wire: int = 0
    requests: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)

    def follow(self, context: BrowserContext) -> Any:
        """A page of a browser's context that is counted."""
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.dataReceived", self._received)
        session.on("Network.loadingFinished", self._ended)
        session.send("Network.enable")
        return page

    def _asked(self, event: dict[str, Any]) -> None:
        kind = self.streams if event.get("type") == "EventSource" else self.requests
        kind.add(event["requestId"])

    def _received(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.requests:
            self.raw += event["dataLength"]

    def _ended(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.requests:
            self.wire += int(event["encodedDataLength"])


@contextmanager
def visitor(browser: Browser, served: Served, cookie: str) -> Iterator[BrowserContext]:
    """A browser that has a login and nothing else."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    name, _, token = cookie.split("\r\n", 1)[0].removeprefix("Cookie: ").partition("=")
    context.add_cookies([{"name": name, "value": token, "domain": "localhost", "path": "/", "httpOnly": True}])
    yield context
    context.close()


def sizes(browser: Browser, served: Served, cookie: str, paths: dict[str, str]) -> list[Figure]:
    """Of each page, at a first visit."""
    figures = []
    for route, path in paths.items():
        loaded = Loaded()
        with visitor(browser, served, cookie) as context:
            page = loaded.follow(context)
            page.goto(f"http://localhost:{served.port}{path}", wait_until="load")
            page.get_by_role("heading", level=1).wait_for()
            page.wait_for_timeout(300)
        met = loaded.raw < RAW_GOAL
        figures += [
            Figure(f"{route}: raw", loaded.raw / 1000, "kB", goal=f"under {RAW_GOAL // 1000} kB", met=met),
            Figure(f"{route}: over the wire, with headers", loaded.wire / 1000, "kB"),
            Figure(f"{route}: requests besides the stream", len(loaded.requests), ""),
        ]
    return figures


def first_figures(
    browser: Browser, served: Served, watching: list[str], cookie: str, paths: dict[str, str]
) -> list[Figure]:
    """How soon pages are there, and are painted, while many look on."""
    painted: dict[str, list[float]] = {route: [] for route in paths}
    with ThreadPoolExecutor(1) as threads:
        browsing = threads.submit(lambda: asyncio.run(browse(served.port, watching, [*paths.values()], PAUSE, SECONDS)))
        while not browsing.done():
            for route, path in paths.items():
                with visitor(browser, served, cookie) as context:
                    page = context.new_page()
                    page.goto(f"http://localhost:{served.port}{path}", wait_until="load")
                    painted[route].append(float(page.evaluate(PAINTED)) / 1000)
        there = browsing.result()
    figures = []
    for route, path in paths.items():
        about = f"{len(watching)} viewers, {route}: "
        figures += [
            Figure(f"{about}there, p50", percentile(there[path], 50), "ms"),
            Figure(f"{about}there, p99 of {len(there[path])}", percentile(there[path], 99), "ms"),
        ]
        if len(painted[route]) > 1:
            figures += [
                Figure(f"{about}painted in a browser with nothing of it, p50", percentile(painted[route], 50), "ms"),
                Figure(f"{about}the same, the slowest of {len(painted[route])}", max(painted[route]) * 1000, "ms"),
            ]
    return figures


class Cost(NamedTuple):
    """What viewers cost.

    Args:
        memory: of the API, in bytes.
        statements, database: how many, and the seconds that they took.
        fetches: what each renewal of a page took, in seconds.
    """

    memory: int
    statements: int
    database: float
    fetches: list[float]


def watched(server: PostgresServer, served: Served, viewers: list[str]) -> Cost:
    """While so many leave the overview open."""

    async def watch() -> tuple[int, int, list[float]]:
        async with looking_on(served.port, viewers) as took:
            await asyncio.sleep(SETTLES_SECONDS)
            began = server.log.stat().st_size
            took.clear()
            await asyncio.sleep(WATCH)
            return began, served.memory(), [*took]

    began, memory, fetches = asyncio.run(watch())
    with server.log.open("rb") as log:
        log.seek(began)
        found = _STATEMENT.findall(log.read().decode(errors="replace"))
    seconds = sum(float(milliseconds) for milliseconds, _ in found) / 1000
    return Cost(memory, sum(1 for _, is_whole in found if is_whole), seconds, fetches)


def costs(server: PostgresServer, served: Served, watching: list[str]) -> list[Figure]:
    """Of one viewer and of many, against nobody and against one."""
    nobody, one, many = (watched(server, served, watching[:number]) for number in (0, 1, len(watching)))
    crowd, mib = len(watching), 1 << 20
    statements, time = many.statements / one.statements, many.database / one.database
    return [
        Figure("memory of the API, nobody looks on", nobody.memory / mib, "MiB"),
        Figure(f"memory of the API, {crowd} viewers", many.memory / mib, "MiB", "nobody", many.memory / nobody.memory),
        Figure("statements a second, nobody looks on", nobody.statements / WATCH, "1/s"),
        Figure("statements a second, one viewer", one.statements / WATCH, "1/s"),
        Figure(
            f"statements a second, {crowd} viewers", many.statements / WATCH, "1/s", "one", statements,
            "at most 1.2 of one", statements <= 1.2,
        ),
        Figure("time of the database in a second, one viewer", one.database / WATCH * 1000, "ms"),
        Figure(
            f"time of the database in a second, {crowd} viewers", many.database / WATCH * 1000, "ms", "one", time,
            "at most 1.2 of one", time <= 1.2,
        ),
        Figure("renewals of the overview a second", len(many.fetches) / WATCH, "1/s"),
        Figure(f"a renewal of the overview, {crowd} viewers at a time, p50", percentile(many.fetches, 50), "ms"),
        Figure(f"a renewal of the overview, {crowd} viewers at a time, p99", percentile(many.fetches, 99), "ms"),
    ]  # fmt: skip


def main() -> None:
    """Measures and reports."""
    logged = {"log_min_duration_statement": "0", "log_line_prefix": "%a ", "log_error_verbosity": "terse"}
    with (
        PostgresServer(settings={**AS_IT_COMES, "log_line_prefix": "%a "}, on_disk=True) as server,
        tempfile.TemporaryDirectory(prefix="affirm-bench-") as folder,
    ):
        conninfo, _ = database(server, "pages", many_jobs.fill(JOBS, max(2_000, JOBS // 20)))
        with psycopg.connect(conninfo) as connection:
            [(job, dataset)] = connection.execute(
                "select jobs.id, dataset_id from jobs where state = 'failed' order by key desc limit 1"
            ).fetchall()
        paths = page_paths({"jobs": str(job), "datasets": str(dataset), "pools": "default"})
        # These say what they ask about in the address.
        paths["/selection"] = f"/selection?act=retry&job={job}"
        paths["/operations/new"] = "/operations/new?action=retry&q=state:failed"
        with our_api(conninfo, Path(folder)) as served, Client.connect(conninfo) as client:
            watching = cookies(client, served.port, max(VIEWERS, CROWD) + 1)
            mine = watching.pop()
            with chromium() as browser:  # it has an event loop in this thread
                figures = sizes(browser, served, mine, paths)
                figures += first_figures(browser, served, watching[:VIEWERS], mine, paths)
            with psycopg.connect(conninfo, autocommit=True) as connection:
                for name, value in logged.items():
                    connection.execute(f"alter system set {name} = '{value}'".encode())
                connection.execute("select pg_reload_conf()")
            figures += costs(server, served, watching[:CROWD])
    figures += [Figure(f"{path} was not looked at: nothing is known to show of it", 0, "") for path in UNKNOWN]
    report("pages", figures)


if __name__ == "__main__":
    main()
