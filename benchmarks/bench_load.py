"""Loading against psql: the runner's path, `\\copy` of the same rows, and INSERTs of 1,000 rows; all in one run.

`CORPUS=` a folder of yobYYYY.txt, else the shipped files; `ROUNDS=` how often each is measured (3). Ratios are those of
one round, so that a machine that is slower for a while does not change them; the median round is reported. `LARGEST=`
the file that peak memory is measured with and `LARGEST_COUNTRY=` its country, else the largest of the corpus.
"""

import os
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.countries import iso_countries
from benchmarks.load_variants import by_copy, by_inserts, by_runners, in_one_process, joined, rotated, rows_in
from benchmarks.report import Figure, report
from benchmarks.runner_start import Watched, median_cpu, watch
from dataset_jobs import migrations
from dataset_jobs.storage import StorageConfig
from tests.integration.world import NATIONAL, World
from tests.servers.postgres import PostgresServer
from tests.servers.versitygw import VersityGateway

AS_IT_COMES = {
    "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "max_wal_size": "1GB",
    "max_connections": "100",
}  # fmt: skip
"""Postgres' own defaults, which the test server leaves; logins are trusted, as the embedded server does."""

STARTS = 9

TWO, ONE, ALONE, COPY, INSERTS = "2 runners", "1 runner", "load alone, one process", "psql \\copy", "1,000-row INSERTs"


class Databases:
    """Fresh migrated databases of one server, each removed after its use."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        migrations.apply(server.create_database("migrated"), iso_countries())

    def measure(self, load: Callable[[str], float], rows: int) -> float:
        """Seconds of one load into a database of its own."""
        conninfo = self._server.create_database("measured", "migrated")
        try:
            self._server.execute("checkpoint")
            seconds = load(conninfo)
            assert rows_in(conninfo) == rows
        finally:
            self._server.drop_database("measured")
        return seconds


def speeds(server: PostgresServer, files: list[Path], rounds: int, folder: Path) -> list[Figure]:
    """Every variant, each round in another order."""
    copy_path, insert_path, rows = joined(files, "US", folder)
    databases = Databases(server)
    variants: dict[str, Callable[[str], float]] = {
        TWO: lambda conninfo: by_runners(conninfo, files, "US", 2),
        COPY: lambda conninfo: by_copy(conninfo, copy_path),
        ALONE: lambda conninfo: in_one_process(conninfo, files, "US"),
        ONE: lambda conninfo: by_runners(conninfo, files, "US", 1),
        INSERTS: lambda conninfo: by_inserts(conninfo, insert_path),
    }
    found: list[dict[str, float]] = []
    for order in rotated([*variants], rounds):
        found.append({name: databases.measure(variants[name], rows) for name in order})
        print("  ".join(f"{name}: {found[-1][name]:.1f} s" for name in variants), flush=True)

    def ratio(name: str, against: str) -> float:
        return statistics.median(one[against] / one[name] for one in found)

    def figure(name: str, against: str = "", goal: float | None = None) -> Figure:
        seconds = statistics.median(one[name] for one in found)
        plain = Figure(f"{name}, {len(files)} files, {rows:,} rows", seconds, "s")
        if not against:
            return plain
        times = ratio(name, against)
        return replace(plain, against=against, ratio=times, goal=f"at least {goal} times as fast" if goal else "",
                       met=times >= goal if goal else None)  # fmt: skip

    return [
        figure(COPY), figure(INSERTS), figure(TWO, COPY, 1.5), figure(TWO, INSERTS, 3.0), figure(ONE, COPY),
        figure(ONE, INSERTS), figure(ALONE, COPY, 1.5),
    ]  # fmt: skip


async def _claimed(world: World, path: Path, country: str) -> Watched:
    submitted = world.submit(path, country)
    async with world.store() as store:
        await store.claim("default", 1, "process", "bench", timedelta(minutes=10))
    seen = watch(submitted.job_id, world.environment)
    world.query("update runs set ended_at = now(), released_at = now(), cause = 'completed' where ended_at is null")
    return seen


def starts(server: PostgresServer, folder: Path, largest: Path, country: str) -> list[Figure]:
    """CPU from a cold interpreter to the first byte of COPY, and memory over that of a file of one row."""
    import asyncio

    def small(world: World, number: int) -> Watched:
        return asyncio.run(_claimed(world, world.file(f"yob{1900 + number}.txt", f"Mary,F,{number + 5}\n"), "US"))

    world = World(server.create_database("starts", "migrated"), folder)
    local = [small(world, number) for number in range(STARTS)]
    figures = [
        Figure("CPU from a cold interpreter to the first byte of COPY, local storage", median_cpu(local), "ms",
               goal="at most 250 ms", met=median_cpu(local) <= 250),
    ]  # fmt: skip
    large = asyncio.run(_claimed(world, largest, country))
    over = (large.peak_kib - statistics.median(one.peak_kib for one in local)) / 1024
    figures.append(
        Figure(f"peak memory over idle, {largest.name} ({largest.stat().st_size / 2**20:.1f} MiB)", over, "MiB",
               goal="at most 128 MiB", met=over <= 128)
    )  # fmt: skip
    figures.append(Figure("peak memory of a runner with one row", local[-1].peak_kib / 1024, "MiB"))
    with VersityGateway(folder / "s3") as s3:
        world.storage_config = StorageConfig.from_env(s3.storage_env(s3.make_bucket("bench")))
        os.environ.update(s3.credentials())
        remote = [small(world, 50 + number) for number in range(STARTS)]
    figures.append(Figure("the same, S3", median_cpu(remote), "ms"))
    world.client.close()
    return figures


def main() -> None:
    """Measures and reports."""
    corpus = Path(os.environ.get("CORPUS") or NATIONAL)
    files = sorted(corpus.glob("yob*.txt"))
    if not files:
        raise SystemExit(f"{corpus}: there is no yobYYYY.txt")
    largest = Path(os.environ.get("LARGEST") or max(files, key=lambda path: path.stat().st_size))
    with (
        PostgresServer(settings=AS_IT_COMES, on_disk=True, auth="trust") as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        found = speeds(server, files, int(os.environ.get("ROUNDS", "3")), Path(folder))
        found += starts(server, Path(folder), largest, os.environ.get("LARGEST_COUNTRY", "US"))
    report("load", found)


if __name__ == "__main__":
    main()
