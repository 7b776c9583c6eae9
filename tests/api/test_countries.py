"""Countries: looked at by all, changed by admins."""

import pytest

from dataset_jobs.model.actor import Actor
from services.client import Client
from services.countries import Countries
from tests.api.client import Api
from tests.api.fits import fitting
from tests.integration.world import World
from tests.kit.roles import as_role

pytestmark = pytest.mark.every_postgres


def test_countries_are_listed_and_found_by_id_or_code(api: Api) -> None:
    found = api.get("/v1/countries").json["data"]
    assert len(found) > 240
    sweden = next(one for one in found if one["code"] == "SE")
    assert fitting("/v1/countries/{country}", api.get("/v1/countries/se"))["data"] == sweden
    assert api.get(f"/v1/countries/{sweden['id']}").json["data"] == sweden
    assert sweden["stats"] == {"dataset_count": 0, "total_names": 0, "year_range": None}


async def test_a_country_has_what_is_loaded(api: Api) -> None:
    api.world.submit_small(2020)
    await api.world.run_until_idle()
    stats = api.get("/v1/countries/US").json["data"]["stats"]
    assert stats == {"dataset_count": 1, "total_names": 1, "year_range": {"min": 2020, "max": 2020}}


def test_figures_of_countries_are_aged_and_say_so(api: Api) -> None:
    """Its name is as it is now, also if another process has changed it."""
    before = api.get("/v1/countries/US").json
    api.world.submit_small()
    api.world.client.countries.rename("US", "Another name")
    after = api.get("/v1/countries/US").json
    assert after["meta"] == before["meta"] and after["data"] == {**before["data"], "name": "Another name"}
    added = api.world.client.countries.add("XK", "Kosovo")
    assert api.get("/v1/countries/XK").json["data"]["id"] == str(added.id)


def test_a_country_is_added_renamed_and_removed(api: Api) -> None:
    made = api.post("/v1/countries", json_body={"code": "xk", "name": "Kosovo"})
    assert (made.status, made.json["data"]["code"]) == (201, "XK")
    assert api.get(made.headers["location"]).status == 200
    renamed = api.request("PATCH", "/v1/countries/XK", json_body={"name": "Kosova"})
    assert renamed.json["data"]["name"] == "Kosova"
    assert api.delete("/v1/countries/XK").status == 204
    assert api.get("/v1/countries/XK").code == "country-not-found"
    rows = api.world.query("select action, target, actor from audit where action like 'country%%' order by id")
    assert [(one["action"], one["target"], one["actor"]) for one in rows] == [
        (f"country.{act}", "country/XK", "test admin") for act in ("add", "change", "remove")
    ]


@pytest.mark.parametrize(
    "body", [{"code": "X1", "name": "a"}, {"code": "XK", "name": "a\nb"}, {"code": "XK", "name": " "}]
)
def test_a_country_that_cannot_be_is_refused(api: Api, body: dict[str, str]) -> None:
    assert api.post("/v1/countries", json_body=body).code == "field-invalid"


def test_a_country_that_is_there_is_a_conflict(api: Api) -> None:
    assert api.post("/v1/countries", json_body={"code": "SE", "name": "Sweden"}).code == "exists"


def test_a_country_with_datasets_stays(api: Api) -> None:
    api.world.submit_small()
    answer = api.delete("/v1/countries/US")
    assert (answer.status, answer.code) == (409, "has-datasets")
    assert api.get("/v1/countries/US").status == 200


def test_the_role_of_an_api_may_change_countries(world: World, database: str) -> None:
    with Client.connect(as_role(database, "affirm_api"), actor=Actor("ada", "api")) as client:
        countries = Countries(client.database)
        countries.add("XK", "Kosovo")
        countries.rename("XK", "Kosova")
        countries.remove("XK")
