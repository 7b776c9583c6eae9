"""The overview: what is wrong first, then the pools; and many viewers cost the database what one costs."""

import re
from collections.abc import Callable
from html import unescape

import pytest

from dashboard import shared
from dataset_jobs.migrations import LATEST
from dataset_jobs.version import own_version
from services.figures import Sampler
from tests.api.client import Api
from tests.dashboard.loading import BAD, PAST, at_work, run_all
from tests.dashboard.visitor import Visitor, buttons_of, text_of
from tests.integration.world import NO_RETRIES


def test_an_empty_installation_says_how_to_begin(admin: Visitor) -> None:
    text = text_of(admin.get("/"))
    assert "There is no job yet. Load a file:" in text
    assert "None is running." in text


def test_a_problem_comes_with_its_fault_and_what_to_press(admin: Visitor) -> None:
    world = admin.api.world
    world.submit_small()
    world.client.pools.pause("default", "the storage moves")
    page = admin.get("/")
    text = text_of(page)
    assert "Pool default is paused (the storage moves): 1 queued wait." in text
    assert "Where: somebody has stopped it. Somebody has to do something." in text
    assert buttons_of(page) == {"Resume the pool"}


def test_what_is_wrong_is_a_text_for_others_too(admin: Visitor) -> None:
    """Without scripts it is there to be selected."""
    world = admin.api.world
    assert "Report for others" not in admin.get("/").text
    world.submit_small()
    world.client.pools.pause("default", "<the storage moves>")
    admin.api.context.sampler = Sampler(world.client.database)
    report = unescape(admin.get("/").text.partition('<pre id="report"')[2].partition(">")[2].partition("</pre>")[0])
    first, *lines, last = report.splitlines()
    assert first.startswith("affirm-worker at ") and first.endswith(" UTC")
    assert (
        "- no controller is running" in lines
        and "- pool default is paused (<the storage moves>): 1 queued wait" in lines
    )
    assert any(line.startswith("pool default: 1 queued, the oldest for ") for line in lines)
    assert last == f"version {own_version()}, schema {LATEST}"


def test_what_is_not_known_is_a_dash(admin: Visitor) -> None:
    row = text_of(admin.get("/")).partition("Busy 1 h")[2]
    assert "default 0 –" in row
    assert "– –" in row


def test_a_pool_leads_to_its_past_and_its_queue(admin: Visitor) -> None:
    assert 'href="/jobs?q=state%3Aqueued+pool%3Adefault"' in admin.get("/").text
    assert 'href="/pools/default"' in admin.get("/").text


def test_what_ended_last_comes_first(admin: Visitor) -> None:
    world = admin.api.world
    world.submit(world.file("yob2002.txt", BAD))
    run_all(world, retry=NO_RETRIES)
    world.submit_small(2003)
    run_all(world)
    text = text_of(admin.get("/")).partition("Just happened")[2]
    assert "ago 2 US yob2003.txt ✓ completed 1 row" in text
    assert "ago 1 US yob2002.txt ✗ failed rejected" in text
    assert text.index("yob2003") < text.index("yob2002")


def test_a_job_at_work_shows_how_far_it_is(admin: Visitor) -> None:
    at_work(admin.api.world, rows=3)
    text = text_of(admin.get("/")).partition("Now running")[2]
    assert "1 US yob2020.txt 6 bytes of 12 bytes, 3 rows" in text


def test_the_queue_of_a_pool_is_drawn_beside_its_length(admin: Visitor) -> None:
    admin.api.world.query(PAST)
    text = admin.get("/").text
    assert re.search(r'<svg [^>]*role="img" aria-label="at most \d+ queued within 3 hours, \d+ at last">', text)
    assert "<polyline points=" in text


def test_a_viewer_more_costs_no_query_more(
    api: Api, visit: Callable[[str], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is kept; only who looks on is asked of the database."""
    monkeypatch.setattr(shared, "EVERY_SECONDS", 3600.0)
    api.context.sampler = Sampler(api.context.client.database, every_seconds=3600)
    visitors = [visit(role) for role in ("viewer", "uploader", "admin")]
    visitors[0].get("/")
    api.world.query("alter table jobs rename to hidden")
    assert [one.get("/").status for one in visitors] == [200, 200, 200]
