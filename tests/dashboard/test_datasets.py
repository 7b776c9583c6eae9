"""The list of datasets and a dataset's page: what is loaded, what became of it, what can be done."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect
from psycopg.types.json import Jsonb

from dashboard.routes.datasets import SHOWN
from services import dataset_story
from services.dataset_story import MOST_JOBS
from tests.api.client import Api
from tests.dashboard.browser import Tab
from tests.dashboard.loading import BAD, run_all
from tests.dashboard.uploaded import uploaded_by
from tests.dashboard.visitor import Visitor, buttons_of, text_of
from tests.integration.world import NO_RETRIES

TIMEOUT = 60_000

MORE = (
    "insert into datasets (country_id, filename, storage_uri, sha256, size)"
    " select country_id, 'more' || n || '.txt', 'local:x', lpad(to_hex(n), 64, '0'), 1"
    " from datasets, generate_series(1, %s) n"
)


def test_a_list_says_what_is_loaded(admin: Visitor) -> None:
    world = admin.api.world
    assert "There is no dataset yet. Load a file: Upload or affirm-worker upload FILE" in text_of(
        admin.get("/datasets")
    )
    world.submit_small(2001)
    world.submit(world.file("yob2002.txt", BAD))
    run_all(world, retry=NO_RETRIES)
    world.submit_small(2003)
    world.query("update datasets set region = 'US-CA', top = 10 where row_count is not null")
    text = text_of(admin.get("/datasets"))
    assert "yob2001.txt ✓ completed 2001 girls, region US-CA, the top 10 names" in text
    assert "yob2002.txt ✗ failed Not loaded: yob2002.txt, line 2: expected 3 fields" in text
    assert "yob2003.txt ⋯ pending Nothing is loaded of it yet" in text
    assert text.index("yob2003") < text.index("yob2002") < text.index("yob2001")


def test_a_tab_has_its_count(admin: Visitor) -> None:
    for year in (2001, 2002):
        admin.api.world.submit_small(year)
    page = admin.get("/datasets?q=status:pending")
    assert "all 2 pending 2 processing 0 completed 0 failed 0 reprocessing 0" in text_of(page)
    assert 'href="/datasets?q=status%3Apending" aria-current="true"' in page.text


FILTERS = [
    ("yob2001", {"yob2001"}),
    ("country:us 2002", {"yob2002"}),
    ("status:completed", {"yob2001"}),
    ("status:pending,failed", {"yob2002"}),
    ("year:2001", {"yob2001"}),
    ("measure:births", {"yob2001"}),
    ("region:US-CA", set()),
    ("superseded:yes", set()),
    ("superseded:no", {"yob2001", "yob2002"}),
    ("batch:monday", set()),
    ("since:1h", {"yob2001", "yob2002"}),
]
WRONG = [
    ("statu:failed", "statu: is no filter: did you mean status:?"),
    ("status:faild", "status:faild: did you mean failed?"),
    ("year:last", "year:last: expected a year"),
    ("measure:names", "measure:names: there are births, population"),
    ("superseded:1", "superseded:1: expected yes or no"),
    ("sha:abc", "must be 64 hexadecimal digits"),
    ("country:XY", "XY"),
]


def test_a_filter_line_selects(admin: Visitor) -> None:
    world = admin.api.world
    world.submit_small(2001)
    run_all(world)
    world.submit_small(2002)
    digest = world.one("select sha256 from datasets where filename = 'yob2002.txt'")["sha256"]
    for words, shown in [*FILTERS, (f"sha:{digest}", {"yob2002"})]:
        text = text_of(admin.get(f"/datasets?q={words.replace(' ', '+')}"))
        assert {name for name in ("yob2001", "yob2002") if f"{name}.txt" in text} == shown, words
        assert ("No dataset is like that. Show all" in text) == (not shown)


def test_a_filter_line_that_is_wrong_stays_to_be_corrected(admin: Visitor) -> None:
    for words, says in WRONG:
        answer = admin.get(f"/datasets?q={words}")
        assert answer.status == 400
        assert says in text_of(answer)
        assert f'value="{words}"' in answer.text


def test_pages_follow_each_other_without_a_gap(admin: Visitor) -> None:
    admin.api.world.submit_small()
    admin.api.world.query(MORE, SHOWN + 4)
    seen: list[str] = []
    path = "/datasets?q=country:US"
    while path:
        text = admin.get(path).text
        seen += [part.split('"')[0] for part in text.split('<tr role="row" id="dataset-')[1:]]
        path = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len({*seen}) == SHOWN + 5
    for cursor in ("x", "WyJuZXdlc3QiXQ"):
        assert admin.get(f"/datasets?cursor={cursor}").status == 400


def test_these_datasets_alone_are_shown(admin: Visitor) -> None:
    made = [admin.api.world.submit_small(year).dataset_id for year in (2001, 2002, 2003)]
    text = text_of(admin.get(f"/datasets?ids={made[0]},{made[2]}"))
    assert [name in text for name in ("yob2001", "yob2002", "yob2003")] == [True, False, True]
    assert admin.get("/datasets?ids=x").status == 400


def loaded(admin: Visitor, *lists: str) -> UUID:
    """A dataset of 2020 that is loaded; each further list has replaced the one before."""
    world, replaces = admin.api.world, list[UUID]()
    for number, rows in enumerate(lists):
        path = world.file("yob2020.txt", rows).rename(world.folder / f"yob2020 ({number}).txt")
        replaces = [world.submit(path, year=2020, replaces=replaces).dataset_id]
        run_all(world)
    return replaces[0]


def test_a_dataset_says_what_is_loaded(admin: Visitor) -> None:
    dataset = loaded(admin, "Mary,F,10\nAnna,F,9\nJohn,M,1200\n")
    text = text_of(admin.get(f"/datasets/{dataset}"))
    assert "Loaded: 3 rows, since" in text
    assert "Year Girls Boys Together Rows Births Rows Births Rows Births 2020 2 19 1 1,200 3 1,219" in text
    assert "Measure births Region all of US Names all that are published" in text
    assert "Nothing: every record of the file is a row." in text
    assert "ago Job 1 ✓ completed" in text
    assert "dataset.submit by" in text


def test_a_dataset_that_failed_says_what_helps(admin: Visitor) -> None:
    world = admin.api.world
    dataset = world.submit(world.file("yob2002.txt", BAD)).dataset_id
    run_all(world, retry=NO_RETRIES)
    page = admin.get(f"/datasets/{dataset}")
    assert "Nothing is loaded of it: yob2002.txt, line 2: expected 3 fields" in text_of(page)
    assert "What helps: Fix the lines or cells that the error names, and submit the file" in text_of(page)
    assert {"Retry now", "Delete the dataset"} <= buttons_of(page)


def test_a_dataset_leads_to_its_job_and_back(admin: Visitor) -> None:
    made = admin.api.world.submit_small()
    page = admin.get(f"/datasets/{made.dataset_id}")
    assert f'href="/jobs/{made.job_id}"' in page.text
    assert f'href="/datasets/{made.dataset_id}"' in admin.get(f"/jobs/{made.job_id}").text
    text = text_of(page)
    assert "Nothing is loaded of it yet." in text
    assert "Job 1 : no controller that claims from pool default is running" in text


def test_datasets_that_replace_each_other_say_so(admin: Visitor) -> None:
    new = loaded(admin, "Mary,F,10\n", "Mary,F,11\n")
    [old] = [one.id for one in admin.api.world.client.datasets.list() if one.id != new]
    text = text_of(admin.get(f"/datasets/{old}"))
    assert "Loaded: 1 row, since" in text
    assert "it does not count, others do" in text
    assert "Counts instead" in text and "in its place count yob2020 (1).txt (dataset 2)" in text
    text = text_of(admin.get(f"/datasets/{new}"))
    assert "It was submitted to replace yob2020 (0).txt (dataset 1)" in text


def test_an_admin_loads_a_dataset_again_later(admin: Visitor) -> None:
    world, dataset = admin.api.world, loaded(admin, "Mary,F,10\n")
    page = admin.get(f"/datasets/{dataset}")
    for said, why in (({"priority": "99999"}, "32767"), ({"run_at": "soon"}, "expected"), ({"pool": "none"}, "none")):
        answer = admin.press(page, "Load again with these", **said)
        assert (answer.status, why in text_of(answer)) == (422, True), text_of(answer)
    answer = admin.press(page, "Load again with these", priority="7", run_at="12h", pool="default")
    job = world.one("select * from jobs where type = 'reprocess_dataset'")
    assert (job["priority"], job["state"], answer.headers["location"]) == (
        7, "scheduled", f"/jobs/{job['id']}?did=reprocess-dataset",
    )  # fmt: skip
    page = admin.get(f"/datasets/{dataset}")
    assert buttons_of(page) == {"Run now", "Change priority", "Cancel", "Delete the dataset"}
    assert "It is scheduled" in text_of(page) or "it is scheduled" in text_of(page)
    admin.press(page, "Cancel")
    assert {"Retry now", "Load again", "Load again with these"} <= buttons_of(admin.get(f"/datasets/{dataset}"))


def test_a_deletion_says_what_would_count_instead(admin: Visitor) -> None:
    new = loaded(admin, "Mary,F,10\n", "Mary,F,11\nJohn,M,5\n")
    question = admin.press(admin.get(f"/datasets/{new}"), "Delete the dataset")
    text = text_of(question)
    assert "Delete dataset 2 (yob2020 (1).txt, US) with its 2 rows, its 1 job and its file of" in text
    assert "The names of 2020 (girls, US) would then come from yob2020 (0).txt (dataset 1)." in text
    assert "Nothing would be left of the names of 2020 (boys, US): no other dataset has them." in text
    gone = admin.follow(admin.press(question, "Yes, do it"))
    assert "The dataset is deleted." in text_of(gone) and "yob2020 (1)" not in text_of(gone)
    assert admin.get(f"/datasets/{new}").status == 404


def test_a_dataset_without_jobs_can_still_be_loaded(admin: Visitor) -> None:
    dataset = loaded(admin, "Mary,F,10\n")
    admin.api.world.query("delete from jobs")
    page = admin.get(f"/datasets/{dataset}")
    assert "All of them were removed." in text_of(page)
    assert buttons_of(page) == {"Load again", "Load again with these", "Delete the dataset"}
    assert admin.press(page, "Load again").status == 303


def test_a_role_sees_what_it_may_do(visit: Callable[[str], Visitor], admin: Visitor) -> None:
    dataset = loaded(admin, "Mary,F,10\n")
    for role in ("viewer", "uploader"):
        page = visit(role).get(f"/datasets/{dataset}")
        assert buttons_of(page) == set()
        assert "Who did what" not in text_of(page)
        assert f'href="/v1/datasets/{dataset}/file"' in page.text


def test_an_uploader_loads_its_own_dataset_again(visit: Callable[[str], Visitor], api: Api) -> None:
    job_id = uploaded_by(api, "uploader")
    api.world.client.jobs.cancel(job_id)
    dataset = api.world.job(job_id)["dataset_id"]
    page = visit("uploader").get(f"/datasets/{dataset}")
    assert buttons_of(page) == {"Retry now", "Load again", "Load again with these"}
    assert "by test uploader" in text_of(page)


def test_many_that_replace_each_other_are_not_all_named(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    new = loaded(admin, "Mary,F,10\n", "Mary,F,11\n")
    [old] = [one.id for one in admin.api.world.client.datasets.list() if one.id != new]
    monkeypatch.setattr(dataset_story, "MOST_OTHERS", 0)
    for dataset in (new, old):
        assert "and 1 more." in text_of(admin.get(f"/datasets/{dataset}"))


def test_the_file_of_a_dataset_is_a_click_away(admin: Visitor) -> None:
    dataset = loaded(admin, "Mary,F,10\n")
    answer = admin.get(f"/v1/datasets/{dataset}/file")
    assert (answer.status, answer.body) == (200, b"Mary,F,10\n")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_what_was_left_out_is_said(admin: Visitor) -> None:
    dataset, world = loaded(admin, "Mary,F,10\n"), admin.api.world
    world.query(
        "update datasets set report = report || %s, description = 'not ours', batch = 'monday', warning = 'a warning'",
        Jsonb({"left_out": {"blank": 5}, "left_out_totals": {"blank": 40}, "added": {"spelt twice": 3}}),
    )
    text = text_of(admin.get(f"/datasets/{dataset}"))
    assert "5 blank, 40 in all Added to another record of the same name: 3 spelt twice" in text
    assert "Batch monday" in text and "Warning a warning" in text and "not ours" in text
    world.query("update datasets set report = null")
    assert "Not known: it was loaded before reports were kept." in text_of(admin.get(f"/datasets/{dataset}"))


def test_all_jobs_of_a_dataset_are_a_list(admin: Visitor) -> None:
    dataset, world = loaded(admin, "Mary,F,10\n"), admin.api.world
    world.query(
        "insert into jobs (dataset_id, type, state, finished_at) select id, 'reprocess_dataset', 'cancelled', now()"
        " from datasets, generate_series(1, %s)",
        MOST_JOBS,
    )
    page = admin.get(f"/datasets/{dataset}")
    assert text_of(page).count("⊘ cancelled") == MOST_JOBS
    assert admin.get(f"/jobs?q=dataset:{dataset}").text.count('id="job-') == MOST_JOBS + 1
    assert f'href="/jobs?q=dataset%3A{dataset}"' in page.text
    assert "expected the whole id of a dataset" in text_of(admin.get("/jobs?q=dataset:x"))


@pytest.mark.needs("browser")
class TestInTheBrowser:
    """A page follows what happens to its dataset, and a list stays where it is."""

    def test_a_dataset_is_followed_while_it_is_loaded_again(self, screen: Tab, admin: Visitor) -> None:
        """Also by a job that somebody else has made since."""
        world, dataset = screen.api.world, loaded(admin, "Mary,F,10\n")
        screen.open(f"/datasets/{dataset}")
        expect(screen.page.locator("#liveness")).to_have_text("● live", timeout=TIMEOUT)
        screen.page.evaluate("document.body.dataset.same = 'yes'")
        job_id, _ = world.client.datasets.reprocess(dataset)
        main = screen.page.get_by_role("main")
        expect(main).to_contain_text("Job 2: no controller that claims", timeout=TIMEOUT)
        world.client.jobs.reschedule(job_id, run_at=timedelta(days=1))
        expect(main).to_contain_text("Job 2: it is scheduled", timeout=TIMEOUT)
        world.client.jobs.reschedule(job_id, run_at=timedelta(0))
        run_all(world)
        expect(main).to_contain_text("Job 2 ✓ completed", timeout=TIMEOUT)
        assert screen.page.evaluate("document.body.dataset.same") == "yes"
        screen.page.get_by_text("Load again, later or elsewhere").click()
        screen.page.get_by_label("Not before").fill("12h")
        screen.page.get_by_role("button", name="Load again with these").click()
        expect(screen.page.get_by_role("status")).to_have_text("The dataset is loaded again, by this job.")

    def test_a_list_of_datasets_stays_where_it_is(self, screen: Tab) -> None:
        world = screen.api.world
        first = world.submit_small(2001).dataset_id
        screen.open("/datasets")
        row, link = screen.page.locator(f"#dataset-{first}"), screen.page.get_by_role("link", name="new: show")
        expect(screen.page.locator("#liveness")).to_have_text("● live", timeout=TIMEOUT)
        run_all(world)
        expect(row).to_contain_text("✓ completed", timeout=TIMEOUT)
        year = 2002
        while not link.is_visible():  # the first look of a stream may come after the first of them
            world.submit_small(year)
            year += 1
            screen.page.wait_for_timeout(500)
        expect(screen.page.get_by_role("row")).to_have_count(2)
        link.click()
        expect(screen.page.get_by_role("row")).to_have_count(year - 2001 + 1)

    def test_datasets_are_for_everybody(self, screen: Tab, admin: Visitor) -> None:
        """By axe-core, in light and dark; and no page asks to be moved sideways on a narrow screen."""
        new = loaded(admin, "Mary,F,10\nJohn,M,4\n", "Mary,F,11\n")
        old = next(one.id for one in screen.api.world.client.datasets.list() if one.id != new)
        screen.api.world.submit_small(2001)
        found: dict[str, list[str]] = {}
        for path in ("/datasets", f"/datasets/{new}", f"/datasets/{old}"):
            screen.open(path)
            for details in screen.page.locator("summary").all():
                details.click()
            found[path] = screen.findings_everywhere()
        assert {path: one for path, one in found.items() if one} == {}
