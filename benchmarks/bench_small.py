"""Files of three rows: what the process of each parser costs, against parsing in the runner; all in one run, in turns.

`ROUNDS=` how often each is measured (5). Ratios are those of one round, and the median round is
reported. Seconds of processor say more than the clock: they are those of the controller and all that it starts.
"""

import os
import statistics
from dataclasses import replace

from app.countries import iso_countries
from benchmarks.load_variants import rotated
from benchmarks.report import Figure, report
from benchmarks.small_files import MOST_FILES, VARIANTS, Cost, load
from benchmarks.small_runner import IN_ONE
from dataset_jobs import migrations
from tests.servers.postgres import PostgresServer


def measure(server: PostgresServer, files: int, variant: str) -> Cost:
    """One load into a database of its own."""
    conninfo = server.create_database("measured", "migrated")
    try:
        return load(conninfo, files, variant)
    finally:
        server.drop_database("measured")


def figures(found: list[dict[str, Cost]], files: int) -> list[Figure]:
    """The medians, and of their ratios."""

    def figures_of(name: str) -> list[Figure]:
        costs = [one[name].processor / files * 1000 for one in found]
        plain = Figure(f"{name}, processor a file", statistics.median(costs), "ms")
        clock = Figure(f"{name}, the clock", statistics.median(one[name].clock for one in found), "s")
        if name == IN_ONE:
            return [plain, clock]
        ratio = statistics.median(one[name].processor / one[IN_ONE].processor for one in found)
        return [replace(plain, against=IN_ONE, ratio=ratio), clock]

    return [figure for name in (IN_ONE, *VARIANTS[:-1]) for figure in figures_of(name)]


def main() -> None:
    """Measures and reports."""
    files, rounds = MOST_FILES, int(os.environ.get("ROUNDS", "5"))
    found: list[dict[str, Cost]] = []
    with PostgresServer(settings={"fsync": "on", "synchronous_commit": "on"}, on_disk=True, auth="trust") as server:
        migrations.apply(server.create_database("migrated"), iso_countries())
        for order in rotated([*VARIANTS], rounds):
            found.append({name: measure(server, files, name) for name in order})
            print("  ".join(f"{name}: {one.processor:.2f} s, {one.clock:.1f} s by the clock"
                            for name, one in sorted(found[-1].items())), flush=True)  # fmt: skip
    report("small", figures(found, files))


if __name__ == "__main__":
    main()
