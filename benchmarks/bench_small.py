"""Files of three rows: what the process of each parser costs, against parsing in the runner; all in one run, in turns.

`ROUNDS=` how often each is measured (5). Ratios are those of one round, and the median round is
reported. Seconds of processor say more than the clock: they are those of the controller and all that it starts.
"""

import os
import statistics

from app.countries import iso_countries
from benchmarks.load_variants import rotated
from benchmarks.report import Figure, report
from benchmarks.small_files import MOST_FILES, Cost, load
from dataset_jobs import migrations
from tests.servers.postgres import PostgresServer

APART, IN_ONE = "a parser process for each file", "parsed in the runner"


def measure(server: PostgresServer, files: int, apart: bool) -> Cost:
    """One load into a database of its own."""
    conninfo = server.create_database("measured", "migrated")
    try:
        return load(conninfo, files, apart)
    finally:
        server.drop_database("measured")


def figures(found: list[dict[str, Cost]], files: int) -> list[Figure]:
    """The medians, and of their ratios."""

    def of(name: str) -> list[float]:
        return [one[name].processor / files * 1000 for one in found]

    ratio = statistics.median(apart / alone for apart, alone in zip(of(APART), of(IN_ONE), strict=True))
    clocks = [
        Figure(f"{name}, the clock", statistics.median(one[name].clock for one in found), "s")
        for name in (IN_ONE, APART)
    ]
    return [
        Figure(f"{IN_ONE}, processor a file", statistics.median(of(IN_ONE)), "ms"),
        Figure(f"{APART}, processor a file", statistics.median(of(APART)), "ms", IN_ONE, ratio),
        *clocks,
    ]


def main() -> None:
    """Measures and reports."""
    files, rounds = MOST_FILES, int(os.environ.get("ROUNDS", "5"))
    found: list[dict[str, Cost]] = []
    with PostgresServer(settings={"fsync": "on", "synchronous_commit": "on"}, on_disk=True, auth="trust") as server:
        migrations.apply(server.create_database("migrated"), iso_countries())
        for order in rotated([APART, IN_ONE], rounds):
            found.append({name: measure(server, files, name == APART) for name in order})
            print("  ".join(f"{name}: {one.processor:.2f} s, {one.clock:.1f} s by the clock"
                            for name, one in sorted(found[-1].items())), flush=True)  # fmt: skip
    report("small", figures(found, files))


if __name__ == "__main__":
    main()
