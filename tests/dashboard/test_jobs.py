"""The list of jobs and a job's story: order, filters, pages, why each waits, and the words of `explain`."""

import re
from collections.abc import Callable

from dashboard.routes.jobs import SHOWN
from tests.dashboard.loading import BAD, at_work, run_all
from tests.dashboard.visitor import Visitor, text_of
from tests.integration.world import NO_RETRIES


def test_every_job_that_waits_says_why(admin: Visitor) -> None:
    world = admin.api.world
    first = world.submit_small(2001)
    world.submit_small(2002)
    world.query("update jobs set state = 'scheduled', run_at = now() + interval '1 day' where id = %s", first.job_id)
    world.client.pools.pause("default")
    text = text_of(admin.get("/jobs"))
    assert "yob2001.txt ◷ scheduled It is scheduled: the next try is at" in text
    assert "yob2002.txt ⋯ queued No controller that claims from pool default is running" in text
    assert text.index("yob2002") < text.index("yob2001")


def test_a_job_at_work_says_how_fast_it_is_and_since_when_that_is_known(admin: Visitor) -> None:
    job_id = at_work(admin.api.world, rows=30)
    text = text_of(admin.get(f"/jobs/{job_id}"))
    assert re.search(r"6 bytes of 12 bytes, 30 rows, 3 rows a second; as it said [\d.]+ (ms|s|min) ago", text), text


def test_a_tab_has_its_count_and_its_order(admin: Visitor) -> None:
    world = admin.api.world
    for year in (2001, 2002, 2003):
        world.submit_small(year)
    text = text_of(admin.get("/jobs?q=state:queued"))
    assert "all 3 scheduled 0 queued 3 running 0" in text
    assert "In this order: the next one to run first." in text
    assert text.index("yob2001") < text.index("yob2002") < text.index("yob2003")


FILTERS = [
    ("yob2001", {"yob2001"}),
    ("country:US 2002", {"yob2002"}),
    ("state:queued", {"yob2001", "yob2002"}),
    ("state:failed,cancelled", set()),
    ("since:1h pool:default", {"yob2001", "yob2002"}),
    ("country:FR", set()),
]
WRONG = [
    ("stat:failed", "stat: is no filter: did you mean state:?"),
    ("state:faild", "state:faild: did you mean failed?"),
    ("since:yesterday", "since:yesterday: expected a number and its unit"),
    ("pool:none", "pool 'none': there are default"),
    ("country:XY", "XY"),
    ("state:", "state: say which, such as state:failed"),
    ("pool:default pool:default", "pool: is there twice"),
]


def test_a_list_without_any_job_leads_to_the_upload(visit: Callable[[str], Visitor]) -> None:
    for role, leads in (("admin", True), ("viewer", False)):
        page = visit(role).get("/jobs")
        said = page.text.partition("There is no job yet.")[2].partition("</p>")[0]
        assert ('href="/upload"' in said) == leads, role
        assert "No job is like that" not in page.text
    assert "No job is like that." in text_of(visit("viewer").get("/jobs?q=state:failed"))


def test_a_filter_line_selects(admin: Visitor) -> None:
    for year in (2001, 2002):
        admin.api.world.submit_small(year)
    for words, shown in FILTERS:
        text = text_of(admin.get(f"/jobs?q={words.replace(' ', '+')}"))
        assert {name for name in ("yob2001", "yob2002") if f"{name}.txt" in text} == shown, words
        assert ("No job is like that" in text) == (not shown)


def test_a_filter_line_that_is_wrong_stays_to_be_corrected(admin: Visitor) -> None:
    for words, says in WRONG:
        answer = admin.get(f"/jobs?q={words.replace(' ', '+')}")
        assert answer.status == 400
        assert says in text_of(answer)
        assert f'value="{words}"' in answer.text


def test_these_jobs_alone_are_shown(admin: Visitor) -> None:
    jobs = [admin.api.world.submit_small(year).job_id for year in (2001, 2002, 2003)]
    text = text_of(admin.get(f"/jobs?ids={jobs[0]},{jobs[2]}"))
    assert [name in text for name in ("yob2001", "yob2002", "yob2003")] == [True, False, True]
    assert admin.get("/jobs?ids=x").status == 400


def test_pages_follow_each_other_without_a_gap(admin: Visitor) -> None:
    world = admin.api.world
    world.submit_small()
    world.query(
        "insert into datasets (country_id, filename, storage_uri, sha256, size)"
        " select country_id, 'more' || n || '.txt', 'local:x', lpad(to_hex(n), 64, '0'), 1"
        " from datasets, generate_series(1, %s) n",
        SHOWN + 4,
    )
    world.query(
        "insert into jobs (dataset_id, type) select id, 'parse_dataset' from datasets where filename like 'more%%'"
    )
    seen: list[str] = []
    path = "/jobs?q=pool:default"
    while path:
        text = admin.get(path).text
        seen += [part.split('"')[0] for part in text.split('<tr role="row" id="job-')[1:]]
        path = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len({*seen}) == SHOWN + 5


def test_a_story_has_the_words_of_explain(admin: Visitor) -> None:
    world = admin.api.world
    job_id = world.submit(world.file("yob2002.txt", BAD)).job_id
    run_all(world, retry=NO_RETRIES)
    text, story = text_of(admin.get(f"/jobs/{job_id}")), world.client.story(job_id)
    for words in (
        str(story.sentence)[1:], story.advice[0].text, str(story.runs[0].sentence), str(story.runs[0].decided),
        *(str(moment.text)[1:] for moment in story.timeline),
    ):  # fmt: skip
        assert words in text
    assert "Retry now" in text and "Delete the dataset" in text


def test_a_story_is_found_by_the_first_digits(admin: Visitor) -> None:
    job_id = admin.api.world.submit_small().job_id
    assert admin.get(f"/jobs/{str(job_id)[:8]}").status == 200
