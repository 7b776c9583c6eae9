"""Deletions of datasets whose rows take Postgres longer to delete than any other answer may."""

import time
from uuid import UUID

import pytest

from services.filters import DatasetFilter
from services.operation_acts import Doing
from tests.api.client import Api, running
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

SHORT = 2.0
"""Seconds that an answer of the database may take in these tests."""


@pytest.fixture
async def loaded(world: World) -> UUID:
    """A loaded dataset, whose rows take longer than that."""
    made = world.submit_small()
    await world.run_until_idle()
    world.query(
        "create function slowly() returns trigger language plpgsql as"
        f" 'begin perform pg_sleep({1.5 * SHORT}); return null; end'"
    )
    world.query("create trigger slowly before delete on names for each statement execute function slowly()")
    return made.dataset_id


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.context.ANSWER_SECONDS", SHORT)


def gone(world: World) -> bool:
    return not world.query("select from datasets") and not world.query("select from names")


def test_a_dataset_of_many_rows_is_deleted(world: World, loaded: UUID) -> None:
    with running(world) as api:
        assert api.delete(f"/v1/datasets/{loaded}").status == 204
        assert api.get(f"/v1/datasets/{loaded}").code == "not-found"
    assert gone(world)


def test_an_operation_deletes_a_dataset_of_many_rows(world: World, loaded: UUID) -> None:
    with running(world) as api:
        begun = api.post("/v1/operations", json_body={"action": "delete", "filter": {"country": "US"}})
        assert ended(api, begun.json["data"]["id"]) == "completed"
    assert gone(world)


def test_other_answers_stay_short(world: World, loaded: UUID) -> None:
    """After a deletion, too."""
    with running(world) as api:
        assert api.delete(f"/v1/datasets/{loaded}").status == 204
        world.query("alter table datasets rename to held")
        world.query(f"create view datasets as select held.* from held, pg_sleep({5 * SHORT})")
        answer = api.get("/v1/datasets")
        assert (answer.status, answer.code) == (503, "database-away")


def ended(api: Api, operation_id: str) -> str:
    while (state := str(api.get(f"/v1/operations/{operation_id}").json["data"]["state"])) == "running":
        time.sleep(0.05)
    return state


def test_a_filter_can_name_one_file(world: World, loaded: UUID) -> None:
    """So that one dataset can be deleted in the background."""
    [dataset] = world.query("select sha256 from datasets")
    found = world.client.operations.preview(Doing.DELETE, DatasetFilter(sha256=dataset["sha256"]))
    assert (found.matching, found.first) == (1, loaded)
