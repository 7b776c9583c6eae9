"""Nothing is counted twice: overlapping files are refused, and a file that replaces another takes its place at once."""

from datetime import timedelta
from uuid import UUID

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.store.runner import Loaded, RunnerStore
from services.submission import Verdict
from tests.integration.world import SubmittedFile, World
from tests.kit.runners import proven
from tests.kit.submit import submit as submit_again

pytestmark = pytest.mark.every_postgres

OLD = "Mary,F,10\r\nAnna,F,9\r\nJohn,M,8\r\n"
NEW = "Mary,F,11\r\nAnna,F,9\r\n"


def counted(world: World) -> list[tuple[str, int]]:
    """What adds up, of the whole country."""
    sql = "select name, count from counted_names where country = 'US' and region is null order by name, count"
    return [(row["name"], row["count"]) for row in world.query(sql)]


async def loaded(
    world: World, content: str, name: str = "yob2020.txt", replaces: tuple[UUID, ...] = ()
) -> SubmittedFile:
    """Submits a file and loads it, or fails to."""
    result = world.submit(world.file(name, content), replaces=replaces)
    await world.run_until_idle()
    return result


async def load_by_hand(
    world: World, submitted: SubmittedFile, years: dict[int, str], top: int | None = None, measure: str = "births",
    region: str | None = None,
) -> None:  # fmt: skip
    """Loads one row of each of these years and sexes, whatever the file holds."""
    async with world.store() as store:
        [run] = await store.claim("default", 1, "process", "hand", timedelta(seconds=60))
    assert run.job_id == submitted.job_id
    with RunnerStore(world.conninfo, run.key, proven(world.conninfo, run.key, "hand")) as runner:
        assignment = runner.take()
        covered = [(year, sex) for year, sexes in sorted(years.items()) for sex in sexes]
        lines = [f"{assignment.dataset_key}\t{year}\tMary\t{sex}\tmary\t5\n" for year, sex in covered]
        coverage = [Covered(year, sex, 1, 5) for year, sex in covered]
        runner.load(assignment, ["".join(lines).encode()], Loaded("hand", measure, region, top, coverage), 1)
    world.query(
        "update runs set ended_at = now(), released_at = now(), cause = 'completed' where job_id = %s", run.job_id
    )


def submit(world: World, number: int, *replaces: UUID) -> SubmittedFile:
    return world.submit(world.file(f"{number}.txt", f"Mary,F,{number}\n"), replaces=replaces)


def counting(world: World) -> dict[int, set[str]]:
    """Of each year and sex, the file that counts."""
    rows = world.query(
        "select year, gender::text, filename from coverage join datasets on key = dataset_key"
        " where superseded_by is null order by year, gender"
    )
    found: dict[int, set[str]] = {}
    for row in rows:
        found.setdefault(row["year"], set()).add(f"{row['gender']}{row['filename'].removesuffix('.txt')}")
    return found


async def test_a_load_marks_the_dataset_with_what_its_rows_are_of(world: World) -> None:
    result = await loaded(world, OLD)
    [seen] = world.client.datasets.list(ids=[result.dataset_id])
    assert (seen.measure, seen.region, seen.top, seen.years, seen.sexes) == ("births", None, None, [2020], ["F", "M"])
    assert world.query("select year, gender::text, row_count, total_count from coverage order by gender") == [
        {"year": 2020, "gender": "F", "row_count": 2, "total_count": 19},
        {"year": 2020, "gender": "M", "row_count": 1, "total_count": 8},
    ]


async def test_a_file_that_covers_what_is_loaded_already_is_refused_and_both_are_named(world: World) -> None:
    old = await loaded(world, OLD)
    new = await loaded(world, NEW, "yob2020-corrected.txt")
    job, run = world.job(new.job_id), world.one("select reason from runs where job_id = %s", new.job_id)
    assert (job["state"], job["last_cause"], run["reason"]) == ("failed", "rejected", "overlapping")
    for named in ("yob2020.txt", str(old.dataset_id), "yob2020-corrected.txt", str(new.dataset_id), "F, 2020"):
        assert named in job["last_error"]
    assert f"(dataset {old.dataset_id}); if this file" in job["last_error"]
    assert world.rows(new.dataset_id) == 0
    assert counted(world) == [("Anna", 9), ("John", 8), ("Mary", 10)]

    # As it says.
    again = world.submit(world.folder / "yob2020-corrected.txt", replaces=[old.dataset_id])
    assert again.dataset_id == new.dataset_id
    await world.run_until_idle()
    # The boys are not in the corrected file: they still count as they did.
    assert counted(world) == [("Anna", 9), ("John", 8), ("Mary", 11)]


async def test_what_replaces_a_dataset_counts_in_its_place_until_it_is_deleted(world: World) -> None:
    old = await loaded(world, OLD)
    new = await loaded(world, OLD.replace("10", "12"), "yob2020-new.txt", (old.dataset_id,))
    assert counted(world) == [("Anna", 9), ("John", 8), ("Mary", 12)]
    assert world.rows(old.dataset_id) == 3
    [seen] = world.client.datasets.list(ids=[old.dataset_id])
    assert (seen.status, seen.superseded_by, seen.superseded) == ("completed", [new.dataset_id], True)

    with pytest.raises(Conflict, match=f"superseded by dataset {new.dataset_id} .yob2020-new.txt."):
        world.client.datasets.reprocess(old.dataset_id)
    world.client.datasets.delete(new.dataset_id, world.storage)
    assert counted(world) == [("Anna", 9), ("John", 8), ("Mary", 10)]
    [seen] = world.client.datasets.list(ids=[old.dataset_id])
    assert (seen.superseded_by, seen.superseded) == ([], False)
    world.client.datasets.reprocess(old.dataset_id)


async def test_a_job_of_a_superseded_dataset_is_not_put_back(world: World) -> None:
    old = await loaded(world, OLD)
    job_id, _ = world.client.datasets.reprocess(old.dataset_id)
    world.client.jobs.cancel(job_id)
    await loaded(world, OLD.replace("10", "12"), "yob2020-new.txt", (old.dataset_id,))
    with pytest.raises(Conflict, match="is superseded by dataset"):
        world.client.jobs.retry(job_id)


async def test_a_superseded_dataset_that_is_deleted_changes_nothing(world: World) -> None:
    old = await loaded(world, OLD)
    new = await loaded(world, NEW + "John,M,8\n", "yob2020-new.txt", (old.dataset_id,))
    before = counted(world)
    world.client.datasets.delete(old.dataset_id, world.storage)
    assert counted(world) == before
    world.client.datasets.reprocess(new.dataset_id)
    await world.run_until_idle()
    assert counted(world) == before


async def test_a_replacing_dataset_that_is_loaded_again_stays_in_its_place(world: World) -> None:
    old = await loaded(world, OLD)
    new = await loaded(world, NEW, "yob2020-new.txt", (old.dataset_id,))
    for dataset_id in (new.dataset_id, old.dataset_id):
        world.client.datasets.reprocess(dataset_id)
        await world.run_until_idle()
        assert counted(world) == [("Anna", 9), ("John", 8), ("Mary", 11)]


async def test_coverage_that_a_reload_drops_counts_again_elsewhere(world: World) -> None:
    """The dataset that it was taken from has it again."""
    old, new = submit(world, 1), None
    await load_by_hand(world, old, {2019: "FM", 2020: "FM"})
    new = submit(world, 2, old.dataset_id)
    await load_by_hand(world, new, {2019: "F", 2020: "FM"})
    assert counting(world) == {2019: {"F2", "M1"}, 2020: {"F2", "M2"}}
    job_id, _ = world.client.datasets.reprocess(new.dataset_id)
    await load_by_hand(world, SubmittedFile(new.dataset_id, job_id), {2020: "F"})
    assert counting(world) == {2019: {"F1", "M1"}, 2020: {"F2", "M1"}}


async def test_a_chain_of_replacements_counts_its_last_dataset(world: World) -> None:
    """The first of three counts again only when both others are gone."""
    first = submit(world, 1)
    await load_by_hand(world, first, {2020: "F"})
    second = submit(world, 2, first.dataset_id)
    await load_by_hand(world, second, {2020: "F"})
    with pytest.raises(Conflict, match=f"superseded already, by dataset {second.dataset_id}"):
        submit(world, 3, first.dataset_id)
    third = submit(world, 3, second.dataset_id)
    await load_by_hand(world, third, {2020: "F"})
    world.client.datasets.delete(second.dataset_id, world.storage)
    assert counting(world) == {2020: {"F3"}}
    world.client.datasets.delete(third.dataset_id, world.storage)
    assert counting(world) == {2020: {"F1"}}


async def test_one_file_may_take_the_place_of_several(world: World) -> None:
    first, second = submit(world, 1), None
    await load_by_hand(world, first, {2019: "F"})
    second = submit(world, 2)
    await load_by_hand(world, second, {2020: "F"})
    await load_by_hand(world, submit(world, 3, first.dataset_id, second.dataset_id), {2019: "FM", 2020: "FM"})
    assert counting(world) == {2019: {"F3", "M3"}, 2020: {"F3", "M3"}}


async def test_a_dataset_is_not_deleted_where_two_would_count_for_the_same_then(world: World) -> None:
    first = submit(world, 1)
    await load_by_hand(world, first, {2019: "F"})
    second = submit(world, 2)
    await load_by_hand(world, second, {2020: "F"})
    third = submit(world, 3, first.dataset_id, second.dataset_id)
    await load_by_hand(world, third, {2019: "F"})
    job_id, _ = world.client.datasets.reprocess(second.dataset_id)
    # Its parser has learnt to read the year before, which the third counts for, in its place too.
    await load_by_hand(world, SubmittedFile(second.dataset_id, job_id), {2019: "F", 2020: "F"})
    assert counting(world) == {2019: {"F3"}, 2020: {"F2"}}
    with pytest.raises(Conflict, match=f"{first.dataset_id} .* and dataset {second.dataset_id} .* count for the same"):
        world.client.datasets.delete(third.dataset_id, world.storage)
    world.client.datasets.delete(first.dataset_id, world.storage)
    world.client.datasets.delete(third.dataset_id, world.storage)
    assert counting(world) == {2019: {"F2"}, 2020: {"F2"}}


@pytest.mark.parametrize(
    ("what", "overlap"),
    [
        ({"years": {2020: "F"}}, True),
        ({"years": {2020: "M"}}, False),
        ({"years": {2019: "F", 2021: "F"}}, False),
        ({"years": {2019: "F", 2020: "F", 2021: "F"}}, True),
        ({"years": {2020: "F"}, "top": 100}, True),
        ({"years": {2020: "F"}, "measure": "population"}, False),
        ({"years": {2020: "F"}, "region": "US-CA"}, False),
    ],
)
async def test_datasets_overlap_where_country_region_measure_year_and_sex_are_the_same(
    world: World, what: dict[str, object], overlap: bool
) -> None:
    await load_by_hand(world, submit(world, 1), {2020: "F"})
    second = submit(world, 2)
    if overlap:
        with pytest.raises(Rejected) as refused:
            await load_by_hand(world, second, **what)  # type: ignore[arg-type]
        assert refused.value.reason is Reason.OVERLAPPING
    else:
        await load_by_hand(world, second, **what)  # type: ignore[arg-type]
    assert world.rows(second.dataset_id) == (0 if overlap else len(what["years"]))  # type: ignore[arg-type]


async def test_a_part_of_a_country_overlaps_with_the_same_part(world: World) -> None:
    for number, fails in ((1, False), (2, True)):
        name = f"{number}.txt"
        result = world.submit(world.file(name, f"CA,F,2020,Mary,{number + 5}\r\n"))
        await world.run_until_idle()
        assert (world.job(result.job_id)["state"] == "failed") is fails


async def test_the_same_figures_of_another_country_are_another_matter(world: World) -> None:
    await load_by_hand(world, submit(world, 1), {2020: "F"})
    other = world.submit(world.file("2.txt", "x"), country="SE")
    await load_by_hand(world, other, {2020: "F"})
    assert len(world.query("select 1 from counted_names")) == 2


async def test_only_what_is_loaded_can_be_replaced(world: World) -> None:
    old = await loaded(world, OLD)
    swedish = world.submit(world.file("SE.txt", "x"), country="SE")
    waiting = world.submit(world.file("yob2021.txt", NEW))
    for other, error, said in (
        (UUID(int=7), NotFound, "no such dataset"),
        (swedish.dataset_id, InvalidRequest, "another country"),
        (waiting.dataset_id, Conflict, "not loaded"),
    ):
        for name, content in (("yob2019.txt", "Mary,F,12"), ("yob2021.txt", NEW)):
            with pytest.raises(error, match=f"{other}.*{said}"):
                world.submit(world.file(name, content), replaces=[other])
    with pytest.raises(Conflict, match=f"loaded already.*replacing dataset {waiting.dataset_id}"):
        world.submit(world.file("yob2020.txt", OLD), replaces=[waiting.dataset_id])
    assert old.dataset_id not in world.dataset(waiting.dataset_id)["supersedes"]


async def test_a_file_that_is_submitted_again_need_not_say_again_what_it_replaces(world: World) -> None:
    old = await loaded(world, OLD)
    new = await loaded(world, NEW, "yob2020-new.txt", (old.dataset_id,))
    path = world.folder / "yob2020-new.txt"
    again = submit_again(world.client, world.storage, path)
    assert (again.verdict, again.dataset_id, again.job_id) == (Verdict.UNCHANGED, new.dataset_id, None)
