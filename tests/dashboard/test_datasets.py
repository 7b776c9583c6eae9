"""The list of datasets and a dataset's page: what is loaded, what became of it, what can be done."""

from dashboard.routes.datasets import SHOWN
from tests.dashboard.loading import BAD, run_all
from tests.dashboard.visitor import Visitor, text_of
from tests.integration.world import NO_RETRIES

MORE = (
    "insert into datasets (country_id, filename, storage_uri, sha256, size)"
    " select country_id, 'more' || n || '.txt', 'local:x', lpad(to_hex(n), 64, '0'), 1"
    " from datasets, generate_series(1, %s) n"
)


def test_a_list_says_what_is_loaded(admin: Visitor) -> None:
    world = admin.api.world
    assert "There is no dataset yet. Load a file: affirm-worker upload FILE" in text_of(admin.get("/datasets"))
    world.submit_small(2001)
    world.submit(world.file("yob2002.txt", BAD))
    run_all(world, retry=NO_RETRIES)
    world.submit_small(2003)
    world.query("update datasets set region = 'US-CA', top = 10 where row_count is not null")
    text = text_of(admin.get("/datasets"))
    assert "yob2001.txt ✓ completed 2001 girls, region US-CA, the top 10 names" in text
    assert "yob2002.txt ✗ failed" in text and "line 2" in text
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
