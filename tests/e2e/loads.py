"""Files of real size, loads that are held up, and queries that tests wait for."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.e2e.installation import ROOT, Installation

YEAR_2023 = ROOT / "tests" / "data" / "us" / "national" / "yob2023.txt"
COPY_WAITS = "select 1 from pg_stat_activity where query like '%load.copy_rows%' and wait_event_type = 'Lock'"
NOTHING_RUNS = "select 1 where not exists (select 1 from runs where released_at is null)"


def variant(folder: Path, year: int) -> Path:
    """The file of 2023 as if it were another year's, so that every test has a dataset of its own."""
    path = folder / f"yob{year}.txt"
    path.write_bytes(YEAR_2023.read_bytes() + f"Zz{chr(ord('a') + year % 26)},F,{year}\r\n".encode())
    return path


def rows_of(installation: Installation, dataset_id: str) -> int:
    sql = "select count(*) from names join datasets on key = dataset_key where id = %s"
    return int(installation.query(sql, dataset_id)[0]["count"])


@contextmanager
def copy_held_up(installation: Installation, dataset_id: str, year: int, name: str = "Olivia") -> Iterator[None]:
    """Holds up the COPY of a dataset at its row of a name: another transaction has just inserted it."""
    with psycopg.connect(installation.conninfo) as blocker:
        key = installation.query("select key from datasets where id = %s", dataset_id)[0]["key"]
        sql = "insert into names (dataset_key, year, gender, name, folded_name, count) values (%s, %s, %s, %s, %s, %s)"
        blocker.execute(sql, (key, year, "F", name, name.lower(), 1))
        yield
        blocker.rollback()


# In the order in which the rows are sent.
NAMES = ("Amelia", "Ava", "Charlotte", "Emma", "Harper", "Isabella", "Luna", "Mia", "Olivia", "Sophia", "Violet", "Zoe")


@contextmanager
def copy_slowed_down(installation: Installation, dataset_id: str, year: int) -> Iterator[None]:
    """Holds up the COPY of a dataset at one row after the other: a runner waits half a minute for a lock, no longer."""
    done = threading.Event()
    with ExitStack() as blockers:
        held = [ExitStack() for _ in NAMES]
        for one, name in zip(held, NAMES, strict=True):
            one.enter_context(copy_held_up(installation, dataset_id, year, name))
            blockers.push(one)

        def release() -> None:
            for one in held:
                done.wait(12)
                one.close()

        thread = threading.Thread(target=release)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
