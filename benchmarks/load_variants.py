"""The ways of loading that `bench_load` compares: each takes a fresh database and gives back seconds."""

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from parser_runner.load import fold, of_dataset, sort_rows
from parser_runner.parsers import Row, parse_file
from tests.integration.world import World
from tests.servers.postgres import binaries

COLUMNS = "(dataset_key, year, name, gender, folded_name, count)"
INSERT_ROWS = 1000

_IN_PROCESS = "from benchmarks.load_variants import run_here; run_here()"
"""Not `-m`: every child would import the main module once more, which `affirm-worker` keeps light."""


def parsed(path: Path, country: str) -> list[Row]:
    """All rows of a file, in the publisher's order."""
    return list(parse_file(path, country).rows)


def joined(files: list[Path], country: str, folder: Path) -> tuple[Path, Path, int]:
    """Writes what psql is given: a file for `\\copy`, and one of INSERTs; and says how many rows they have."""
    copy_path, insert_path, count = folder / "rows.copy", folder / "rows.sql", 0
    with copy_path.open("w", encoding="utf-8") as copy, insert_path.open("w", encoding="utf-8") as inserts:
        for key, path in enumerate(files, 1):
            rows = parsed(path, country)
            count += len(rows)
            copy.writelines(f"{key}\t{r.year}\t{r.name}\t{r.gender}\t{fold(r.name)}\t{r.count}\n" for r in rows)
            for start in range(0, len(rows), INSERT_ROWS):
                values = ",".join(_values(key, row) for row in rows[start : start + INSERT_ROWS])
                inserts.write(f"insert into names {COLUMNS} values {values};\n")  # noqa: S608
    return copy_path, insert_path, count


def _values(key: int, row: Row) -> str:
    name, folded = (text.replace("'", "''") for text in (row.name, fold(row.name)))
    return f"({key},{row.year},'{name}','{row.gender}','{folded}',{row.count})"


def by_psql(conninfo: str, *arguments: str) -> float:
    """One psql, from its start to its end."""
    program = str(binaries(18) / "psql")
    command = [program, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *arguments, conninfo]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def by_copy(conninfo: str, path: Path) -> float:
    """psql's `\\copy` of one file that has all rows."""
    return by_psql(conninfo, f"--command=\\copy names {COLUMNS} from '{path}'")


def by_inserts(conninfo: str, path: Path) -> float:
    """Statements of 1,000 rows each, made beforehand, each a transaction, as the old worker does."""
    return by_psql(conninfo, f"--file={path}")


def in_one_process(conninfo: str, files: list[Path], country: str) -> float:
    """What the runner does after parsing: join, sort, COPY, one transaction a file. Parsing is not counted."""
    seconds = 0.0
    gc.disable()  # as the runner does
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for key, path in enumerate(files, 1):
            rows = parsed(path, country)
            began = time.perf_counter()
            with connection.transaction(), connection.cursor() as cursor:
                blocks = of_dataset(key, sort_rows(rows, lambda rows_done: None).blocks(), len(rows))
                with cursor.copy(f"copy names {COLUMNS} from stdin") as copy:
                    for block in blocks:
                        copy.write(block)
            seconds += time.perf_counter() - began
    gc.enable()
    return seconds


def by_runners(conninfo: str, files: list[Path], country: str, concurrency: int) -> float:
    """A controller with the process launcher, in a process of its own, so that its children's parent is cold.

    The files are submitted before; counted is from the start of the controller's loop to the last job settled.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked = json.dumps([conninfo, folder, [str(path) for path in files], country, concurrency])
        done = subprocess.run(
            [sys.executable, "-c", _IN_PROCESS], input=asked, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.splitlines()[-1])


def _run(conninfo: str, folder: str, files: list[str], country: str, concurrency: int) -> float:
    world = World(conninfo, Path(folder))
    for path in files:
        world.submit(Path(path), country)
    world.client.close()
    began = time.perf_counter()
    asyncio.run(world.run_until_idle(seconds=3600, concurrency=concurrency))
    seconds = time.perf_counter() - began
    failed = world.query("select last_error from jobs where state <> 'completed'")
    if failed:
        raise RuntimeError(str(failed[0]))
    return seconds


def rows_in(conninfo: str) -> int:
    """How many rows there are now."""
    with psycopg.connect(conninfo) as connection:
        [(count,)] = connection.execute("select count(*) from names").fetchall()
    return int(count)


def rotated(names: list[str], rounds: int) -> Iterator[list[str]]:
    """The order of each round: none is always the first after another."""
    for number in range(rounds):
        shift = number % len(names)
        yield names[shift:] + names[:shift]


def run_here() -> None:
    """What the process of `by_runners` does."""
    print(_run(*json.loads(sys.stdin.read())))
