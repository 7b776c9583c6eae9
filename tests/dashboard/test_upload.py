"""Uploads without a script: a form of several files, each for itself, and the page of what was sent together."""

import json
import re
from collections.abc import Callable

import pytest

from api.upload import several
from dashboard.routes import upload
from tests.api.client import Api, running
from tests.api.forms import Part
from tests.api.uploading import NOTHING, kept
from tests.dashboard.loading import BAD, run_all
from tests.dashboard.visitor import Visitor, forms_of, text_of
from tests.integration.world import NATIONAL, NO_RETRIES, World

GOOD = b"Mary,F,7065\nJohn,M,9655\n"
TEN = [(path.name, path.read_bytes()) for path in sorted(NATIONAL.iterdir())]


def parts(*files: tuple[str, bytes | str], country: str = "US", batch: str = "monday", **said: str) -> list[Part]:
    fields = {"batch": batch, "country": country, **said}
    return [*(Part(*one) for one in fields.items()), *(Part("file", content, name) for name, content in files)]


def test_a_form_of_several_files_leads_to_their_page(admin: Visitor) -> None:
    answer = admin.send("/upload", *parts(*TEN[:3]))
    assert answer.headers["location"] == "/uploads/monday"
    page = admin.follow(answer)
    text = text_of(page)
    assert "Batch monday" in text and "3 files: 3 queued." in text
    assert text.index("yob2015.txt") < text.index("yob2016.txt") < text.index("yob2017.txt")
    assert "No controller that claims from pool default is running" in text
    run_all(admin.api.world)
    page = admin.get("/uploads/monday")
    text = text_of(page)
    assert "3 files: 3 completed." in text and " names, 2015, F and M" in text
    for row in admin.api.world.query("select id from datasets"):
        assert f'href="/datasets/{row["id"]}">See' in page.text


def test_the_form_has_what_it_needs(admin: Visitor) -> None:
    page = admin.get("/upload?country=CH")
    [form] = [one for one in forms_of(page) if "Upload" in one.buttons]
    assert form.action == "/upload" and len(form.fields["batch"]) == 12
    assert '<option value="CH" selected>' in page.text
    assert admin.send("/upload", *parts(("yob2020.txt", GOOD), batch="")).headers["location"].startswith("/uploads/")


REFUSED = [
    ("empty.txt", b"", "has no bytes"),
    ("a\x01b.txt", GOOD, "has no plain name"),
    ("yob2019.txt", GOOD, "These bytes are loaded already"),
]


def test_a_refused_file_does_not_stop_the_others(admin: Visitor) -> None:
    admin.send("/upload", *parts(("yob2020.txt", GOOD), batch="before"))
    run_all(admin.api.world)
    for name, content, why in REFUSED:
        batch = f"with {len(name)}"
        answer = admin.send("/upload", *parts((name, content), ("yob2001.txt", f"Anna,F,{len(name)}\n"), batch=batch))
        text = text_of(answer)
        assert (answer.status, why in text) == (422, True), text
        assert "1 of 2 files cannot be loaded as they are" in text
        assert f'href="/uploads/with%20{len(name)}"' in answer.text
        assert "1 file: 1 queued" in text_of(admin.get(f"/uploads/with%20{len(name)}"))


def test_nothing_is_kept_of_a_form_that_is_none(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    no_file = admin.send("/upload", *parts(("", b"")))
    late = admin.send("/upload", Part("file", GOOD, "yob2020.txt"), Part("country", "US"))
    nowhere = admin.send("/upload", *parts(("yob2020.txt", GOOD), country="XY"))
    wrong = admin.send("/upload", *parts(("yob2020.txt", GOOD), year="soon"))
    assert [no_file.status, late.status, nowhere.status, wrong.status] == [422, 422, 422, 422]
    assert "no file was chosen" in text_of(no_file)
    assert "expected a year" in text_of(wrong)
    assert kept(admin.api) == NOTHING


def test_too_many_and_too_large_files_are_refused(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "MOST_FILES", 2)
    files = [(f"yob200{n}.txt", f"Anna,F,{n + 5}\n") for n in range(3)]
    text = text_of(admin.send("/upload", *parts(*files)))
    assert "1 of 3 files cannot" in text and "a form may have 2 files at most" in text
    object.__setattr__(admin.api.context.uploads.limits, "file_bytes", 10)
    text = text_of(admin.send("/upload", *parts(("yob2009.txt", GOOD), ("yob2010.txt", "Ada,F,9\n"), batch="large")))
    assert "1 of 2 files cannot" in text and "a file may have 10 bytes" in text
    assert "1 file: 1 queued" in text_of(admin.get("/uploads/large"))


def test_a_check_keeps_nothing_and_says_what_is_in_it(admin: Visitor) -> None:
    answer = admin.send("/upload?validate_only=true", *parts(TEN[0], ("yob2002.txt", BAD), ("names.txt", GOOD)))
    text = text_of(answer)
    assert answer.status == 200
    assert "✓ checked Nothing is wrong with it:" in text and "Format: us-ssa" in text
    assert "2015 F: " in text and "Line 2: " in text and "say the year." in text
    assert kept(admin.api) == NOTHING


def test_a_failure_has_its_lines_and_what_to_do(admin: Visitor) -> None:
    admin.send("/upload", *parts(("yob2002.txt", BAD + "Eva;F;3\n"), ("list.txt", GOOD)))
    run_all(admin.api.world, retry=NO_RETRIES)
    page = admin.get("/uploads/monday")
    text = text_of(page)
    assert "2 files: 2 failed." in text
    assert "Line 2: " in text and "line 3: " in text and "Fix the lines or cells" in text
    assert "say the year." in text and 'name="year"' in page.text
    assert "Anna;F" not in page.text
    copied = page.text.partition('aria-label="All problems as text">')[2].partition("</textarea>")[0]
    assert copied.startswith("yob2002.txt: line 2: ") and "\n  line 3: " in copied


def test_what_may_pass_another_time_is_retried(admin: Visitor, visit: Callable[[str], Visitor]) -> None:
    uploader, world = visit("uploader"), admin.api.world
    uploader.send("/upload", *parts(*TEN[:2]))
    admin.send("/upload", *parts(TEN[2]))
    world.query("update jobs set state = 'failed', finished_at = now(), last_cause = 'crashed', last_error = 'it fell'")
    assert "Retry 3 that failed" in text_of(admin.get("/uploads/monday"))
    page = uploader.get("/uploads/monday")
    assert "Retry" not in text_of(visit("viewer").get("/uploads/monday"))
    answer = uploader.press(page, "Retry 2 that failed")
    assert "2 jobs are queued again." in text_of(uploader.follow(answer))
    assert [row["state"] for row in world.query("select state from jobs order by key")] == [
        "queued", "queued", "failed",
    ]  # fmt: skip


def test_what_is_known_is_said_with_its_time(admin: Visitor) -> None:
    admin.send("/upload", *parts(TEN[0], ("yob2002.txt", BAD)))
    run_all(admin.api.world, retry=NO_RETRIES)
    admin.send("/upload", *parts(TEN[1]))
    rows = [*admin.api.world.query("select filename as name, size, sha256 from datasets order by key")]
    chosen = [*rows, {**rows[0], "name": "twin.txt"}, {"name": "list.txt", "size": 5}, {"name": "big", "size": 10**12}]
    page = admin.post("/upload/chosen", {"country": "US", "files": json.dumps(chosen)})
    shown = re.findall('data-is="([a-z]+)"', page.text)
    assert shown == ["known", "chosen", "known", "twice", "chosen", "refused"]
    text = text_of(page)
    assert "= known Already loaded at 2" in text and "UTC (same bytes): 33,186 names, 2015, F and M" in text
    assert "Already here (same bytes): no controller" in text and "The same bytes as yob2015.txt" in text
    assert page.text.count('name="year"') == 1  # of the one whose name says none
    assert "bytes at most" in text
    nowhere = admin.post("/upload/chosen", {"country": "", "files": json.dumps(chosen[:1])})
    assert 'data-is="chosen"' in nowhere.text


def test_the_same_bytes_again_make_no_second_dataset(admin: Visitor) -> None:
    for _ in range(2):
        assert admin.send("/upload", *parts(TEN[0], TEN[0])).status == 303
    assert kept(admin.api) == (1, 1, 1, 0)


def test_a_viewer_looks_on_and_uploads_nothing(visit: Callable[[str], Visitor], api: Api) -> None:
    viewer, uploader = visit("viewer"), visit("uploader")
    uploader.send("/upload", *parts(TEN[0]))
    assert viewer.get("/upload").status == 403
    assert viewer.send("/upload", *parts(TEN[1])).status == 403
    page = viewer.get("/uploads/monday")
    assert "1 file: 1 queued" in text_of(page)
    assert 'href="/upload"' not in page.text and "upload.js" not in page.text
    assert 'href="/upload"' in uploader.get("/").text


def test_another_site_uploads_nothing(admin: Visitor) -> None:
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": ""}, {"Origin": "https://evil.example"}):
        answer = admin.send("/upload", *parts(TEN[0]), **headers)
        assert (answer.status, "sent this request" in text_of(answer)) == (403, True)
    assert kept(admin.api) == NOTHING


def test_a_read_only_server_takes_nothing(world: World) -> None:
    with running(world, api_read_only=True) as api:
        admin = Visitor(api)
        admin.log_in(api.keys["admin"])
        assert "the server is read only" in text_of(admin.get("/upload"))
        assert admin.send("/upload", *parts(TEN[0])).status == 403
        assert kept(api) == NOTHING


def test_an_upload_is_audited_as_one_of_the_web(admin: Visitor) -> None:
    admin.send("/upload", *parts(TEN[0]))
    entry = admin.api.world.one("select actor, surface, detail from audit where action = 'dataset.submit'")
    assert (entry["actor"], entry["surface"], entry["detail"]["batch"]) == ("test admin", "web", "monday")


def test_the_script_gets_rows_alone(admin: Visitor) -> None:
    answer = admin.send("/upload", *parts(TEN[0]), HX_Request="true")
    assert answer.text.startswith("<table>") and answer.text.count("<tr") == 1 and 'data-is="queued"' in answer.text
    admin.cookies.clear()
    answer = admin.send("/upload", *parts(TEN[1]), HX_Request="true", Accept="*/*")
    assert (answer.status, answer.code) == (401, "no-key")


def test_a_large_batch_says_that_it_is_cut(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "SHOWN", 2)
    admin.send("/upload", *parts(*TEN[:3]))
    assert "2 files: 2 queued. There are more, and these are the newest." in text_of(admin.get("/uploads/monday"))
    assert "No file of this batch is there yet." in text_of(admin.get("/uploads/none"))
