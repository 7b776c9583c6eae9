"""What a load of a file would do, as a parser without credentials and the database say it."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from cli.reading import ReportReader
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.limits import Limits
from services.submission import read_submission
from services.validation import Overlap, TookTooLong, Validation, validate
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

SMALL = b"Mary,F,7065\nJohn,M,9655\n"


@pytest.fixture
def reader() -> Iterator[ReportReader]:
    made = ReportReader(Limits(), 30.0)
    yield made
    made.close()


def validated(
    world: World, reader: ReportReader, content: bytes, name: str = "yob2020.txt", replaces: tuple[UUID, ...] = ()
) -> Validation:
    submission = read_submission(io.BytesIO(content), name, FileHints(), replaces)
    return validate(world.client.database, submission, "us", io.BytesIO(content), reader)


def test_a_good_file_is_reported_and_nothing_is_kept(world: World, reader: ReportReader) -> None:
    found = validated(world, reader, SMALL)
    assert (found.ok, found.problems, found.overlaps, found.dataset_id) == (True, [], [], None)
    report = found.report
    assert (report.recognised, report.measure, report.years, report.sexes) == (
        "us-ssa-national",
        "births",
        [2020],
        ["F", "M"],
    )
    assert (report.rows, report.total) == (2, 16720)
    assert world.query("select id from datasets") == []
    assert [*(world.folder / "storage").iterdir()] == []


def test_a_bad_file_is_reported_with_its_lines(world: World, reader: ReportReader) -> None:
    found = validated(world, reader, SMALL + b"Anna,F,x\n")
    assert not found.ok
    assert [(problem.place, "count" in problem.reason) for problem in found.problems] == [(3, True)]


async def test_what_counts_already_is_named(world: World, reader: ReportReader) -> None:
    loaded = world.submit(world.file("yob2020.txt", SMALL))
    await world.run_until_idle()
    same = validated(world, reader, SMALL)
    assert (same.ok, same.dataset_id) == (True, loaded.dataset_id)
    other = SMALL + b"Anna,F,12\n"
    refused = validated(world, reader, other)
    overlap = Overlap(loaded.dataset_id, "yob2020.txt", [2020], ["F", "M"], replaced=False)
    assert (refused.ok, refused.overlaps) == (False, [overlap])
    assert f"F and M, 2020 would count twice: in this file and in yob2020.txt (dataset {loaded.dataset_id})" in str(
        refused.problems[0]
    )
    replacing = validated(world, reader, other, replaces=(loaded.dataset_id,))
    assert (replacing.ok, replacing.overlaps[0].replaced) == (True, True)
    assert validated(world, reader, other, "yob2021.txt").ok


async def test_the_load_decides_as_the_validation_says(world: World, reader: ReportReader) -> None:
    world.submit(world.file("yob2020.txt", SMALL))
    await world.run_until_idle()
    other = SMALL + b"Anna,F,12\n"
    assert not validated(world, reader, other).ok
    refused = world.submit(world.file("yob2020.txt", other))
    await world.run_until_idle()
    assert world.dataset(refused.dataset_id)["status"] == "failed"


def parsers_of_this_test() -> list[int]:
    """Processes of this session that start parsers, or parse."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and os.getsid(int(folder.name)) == os.getsid(0):
                found += [int(folder.name)] * (b"apart.clean_start" in (folder / "cmdline").read_bytes())
    return found


def test_a_file_that_takes_too_long_is_stopped(world: World) -> None:
    """And what reads it is gone, also if it notices nothing."""
    reader = ReportReader(Limits(), 0.2)
    large = b"".join(b"N%s,F,7\n" % b"abcdefghijklmnop"[: 1 + number % 16] for number in range(1_500_000))
    with pytest.raises(TookTooLong, match=r"yob2020.txt was not read within 0.2 s"):
        validated(world, reader, large)
    reader.close()
    for _ in range(500):
        if not parsers_of_this_test():
            return
        time.sleep(0.02)
    raise AssertionError(f"still there: {parsers_of_this_test()}")
