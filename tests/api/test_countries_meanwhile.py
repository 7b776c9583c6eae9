"""A country that is removed while a file of it comes: a refusal that says so, and nothing half stored."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.api.client import Api
from tests.api.raw import raw
from tests.api.uploading import CONTENT, NOTHING, kept, upload

pytestmark = pytest.mark.every_postgres

WAITS = "select 1 from pg_stat_activity where query like '%%submit.insert_dataset%%' and wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def country(api: Api) -> None:
    api.world.client.countries.add("XK", "Kosovo")


def test_a_country_removed_while_its_file_comes(api: Api) -> None:
    with raw(api) as client:
        client.head({"Content-Length": len(CONTENT)}, "PUT", "/v1/datasets/upload/yob2020.txt?country=XK")
        client.send(CONTENT[:5])
        while not len(api.context.uploads.spool):
            time.sleep(0.01)
        assert api.delete("/v1/countries/XK").status == 204
        client.send(CONTENT[5:])
        answer = client.answer()
    assert (answer.status, answer.code) == (404, "country-not-found")
    assert kept(api) == NOTHING


def test_a_country_removed_once_its_file_is_stored(api: Api) -> None:
    """Whoever removes it has not committed when the upload asks whether it is there."""
    with ThreadPoolExecutor(1) as threads, psycopg.connect(api.world.conninfo) as other:
        other.execute("delete from countries where code = 'XK'")
        uploading = threads.submit(upload, api, country="XK")
        while not api.world.query(WAITS):
            time.sleep(0.01)
        assert kept(api) == (0, 0, 1, 1)
        other.commit()
        answer = uploading.result()
    assert (answer.status, answer.code) == (404, "country-not-found"), answer.text
    assert kept(api) == NOTHING


def test_a_country_with_a_dataset_of_just_now_stays(api: Api) -> None:
    upload(api, country="XK")
    assert api.delete("/v1/countries/XK").code == "has-datasets"
