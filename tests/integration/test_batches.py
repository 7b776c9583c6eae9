"""Files that were submitted together: where each stands, what is loaded, what is wrong and what to do, in words."""

import pytest

from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from services.batches import Batch, read_batch
from tests.integration.world import NATIONAL, NO_RETRIES, World
from tests.kit.submit import submit

pytestmark = pytest.mark.every_postgres

FILES = {
    "yob2001.txt": "Mary,F,10\nJohn,M,9\n",
    "yob2002.txt": "Mary,F,10\nx\ny\n",
    "list.txt": "Anna,F,5\nBert,M,6\n",
}


def send(world: World, *names: str, batch: str = "monday", hints: FileHints = NO_HINTS) -> None:
    for name in names:
        submit(world.client, world.storage, world.file(name, FILES[name]), "US", hints, batch=batch)


def read(world: World, most: int = 50) -> Batch:
    return read_batch(world.client.database, "monday", most)


async def test_each_file_says_where_it_stands(world: World) -> None:
    send(world, *FILES)
    submit(world.client, world.storage, NATIONAL / "yob2015.txt", batch="another")
    waiting = read(world)
    assert [one.dataset.filename for one in waiting.files] == [*FILES]
    assert {one.state for one in waiting.files} == {"queued"}
    assert "no controller that claims" in str(waiting.files[0].text)
    assert not any(one.is_over for one in waiting.files) and all(one.is_there for one in waiting.files)
    await world.run_until_idle(retry=NO_RETRIES)
    good, bad, unnamed = read(world).files
    assert (str(good.text), good.state, good.is_there) == ("2 names, 2001, F and M", "completed", True)
    assert str(bad.text).startswith("line 2: expected 3 fields") and bad.problems[0].startswith("line 3: ")
    assert (bad.remedy.asks, bad.retryable, bad.is_there) == ((), False, False)
    assert unnamed.remedy.asks == ("year",) and unnamed.remedy.text.endswith("or say the year.")


async def test_a_file_that_says_more_is_loaded(world: World) -> None:
    send(world, "list.txt")
    await world.run_until_idle(retry=NO_RETRIES)
    send(world, "list.txt", hints=FileHints(year=2003))
    await world.run_until_idle(retry=NO_RETRIES)
    [file] = read(world).files
    assert str(file.text) == "2 names, 2003, F and M"
    world.query("delete from jobs")
    [file] = read(world).files
    assert (file.state, file.job, str(file.text)) == ("completed", None, "2 names, 2003, F and M")


def test_what_passes_another_time_can_be_retried(world: World) -> None:
    send(world, *FILES)
    world.query(
        "update jobs set state = 'failed', finished_at = now(), last_cause = 'crashed', last_error = 'yob2001.txt: it'"
    )
    assert [one.retryable for one in read(world).files] == [True, True, True]
    assert str(read(world).files[0].text) == "it"
    world.query("update jobs set last_cause = 'from a newer version'")
    assert [one.retryable for one in read(world).files] == [False, False, False]


async def test_another_dataset_of_the_same_is_offered_for_replacement(world: World) -> None:
    send(world, "yob2001.txt")
    await world.run_until_idle(retry=NO_RETRIES)
    send(world, "list.txt", hints=FileHints(year=2001))
    await world.run_until_idle(retry=NO_RETRIES)
    first, second = read(world).files
    assert (second.state, second.remedy.replaces) == ("failed", (str(first.dataset.id),))


def test_the_newest_of_many_are_shown(world: World) -> None:
    send(world, *FILES)
    found = read(world, 2)
    assert ([one.dataset.filename for one in found.files], found.is_whole) == (["yob2002.txt", "list.txt"], False)
    assert read(world, 3).is_whole and not read_batch(world.client.database, "none", 3).files
