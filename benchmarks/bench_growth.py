"""The cost of a row while the table grows: the corpus again and again, as other datasets, to `ROWS=` (50 million).

`CORPUS=` a folder of yobYYYY.txt, else the shipped files. Every file is one transaction each time, its lines sorted, as
a runner sends them; the time is that of COPY and commit. Names and years are always the same, so that inserts touch the
largest parts of the index by name. It takes about a quarter of an hour, and 7 GB of disk.
"""

import os
import time
from pathlib import Path

import psycopg

from app.countries import iso_countries
from benchmarks.bench_load import AS_IT_COMES
from benchmarks.load_variants import COLUMNS, parsed
from benchmarks.report import Figure, report
from dataset_jobs import migrations
from parser_runner.load import sort_rows
from tests.integration.world import NATIONAL
from tests.servers.postgres import PostgresServer


def keyless_lines(files: list[Path]) -> list[list[str]]:
    """The sorted lines of every file, without the dataset's key."""
    return [sort_rows(parsed(path, "US"), lambda rows_done: None).lines for path in files]


def grow(connection: psycopg.Connection[tuple[object, ...]], lines: list[list[str]], first_key: int) -> float:
    """Loads everything once more; seconds."""
    seconds = 0.0
    for key, of_file in enumerate(lines, first_key):
        block = "".join(f"{key}\t{line}" for line in of_file).encode()
        began = time.perf_counter()
        with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(f"copy names {COLUMNS} from stdin") as copy,
        ):
            copy.write(block)
        seconds += time.perf_counter() - began
    return seconds


def main() -> None:
    """Measures and reports."""
    corpus = Path(os.environ.get("CORPUS") or NATIONAL)
    until = int(os.environ.get("ROWS", "50_000_000"))
    lines = keyless_lines(sorted(corpus.glob("yob*.txt")))
    step = sum(map(len, lines))
    figures: list[Figure] = []
    with PostgresServer(settings=AS_IT_COMES, on_disk=True) as server:
        conninfo = server.create_database("growth")
        migrations.apply(conninfo, iso_countries())
        with psycopg.connect(conninfo, autocommit=True) as connection:
            rows = keys = 0
            first = 0.0
            while rows < until:
                micros = grow(connection, lines, keys + 1) / step * 1e6
                rows, keys, first = rows + step, keys + len(lines), first or micros
                print(f"{rows:>12,} rows: {micros:.2f} µs a row", flush=True)
                figures.append(
                    Figure(f"a row, up to {rows:,}", micros, "µs", against=f"up to {step:,}", ratio=micros / first)
                )
    report("growth", figures)


if __name__ == "__main__":
    main()
