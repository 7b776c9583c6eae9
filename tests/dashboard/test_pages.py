"""What every page has, whoever looks on and whatever went wrong: the frame, the policy, words, and where to go next."""

from collections.abc import Callable
from pathlib import Path

import dashboard
from api.app import bare_app
from api.declared import DeclaredRoute
from dashboard.frame import PLACES
from dashboard.rendering import POLICY
from dashboard.static_files import static_files
from dashboard.writing import capital
from dataset_jobs.model.sentences import sentence
from services.keys import Role
from tests.api.client import Api, running
from tests.dashboard.visitor import Visitor, buttons_of, text_of
from tests.integration.world import World

PAGES = [
    one.path
    for one in bare_app(dashboard.ALL).routes
    if isinstance(one, DeclaredRoute) and one.method == "GET" and one.declared.is_page and "{" not in one.path
]
EVIL = "<script>alert(1)</script>\"'\x1b[31m\u202e.txt"


def test_there_are_pages() -> None:
    assert {"/", "/jobs", "/login"} <= {*PAGES}


INLINE = ("<script>", "<style", " style=", "javascript:", " onclick=", " onload=", "hx-on", "http://", "js:")


def test_a_page_runs_nothing_of_others(admin: Visitor) -> None:
    for path in (*PAGES, "/pools/default", "/nowhere", "/jobs/none", "/jobs?q=stat:failed", "/?unknown=1"):
        answer = admin.get(path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"] == POLICY
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
        assert [one for one in INLINE if one in answer.text] == [], path


def test_a_page_says_where_it_is(admin: Visitor) -> None:
    for path in PAGES:
        text = admin.get(path).text
        assert text.count("<h1") == 1 and '<html lang="en"' in text and 'href="#main"' in text
        if path != "/login":
            assert text.count('aria-current="page"') == 1, path
    for place in PLACES:
        assert f'<a href="{place.path}" data-key="{place.key}" aria-current="page"' in admin.get(place.path).text


PROBLEMS = [
    ("/nowhere", 404, "there is no /nowhere"),
    ("/jobs/none", 404, "Not found"),
    ("/jobs?cursor=x", 400, "cursor"),
    ("/jobs?qq=x", 400, "did you mean q?"),
    ("/static/00000000/style.css", 404, "load the page again"),
]


def test_a_problem_is_a_page_with_its_words(admin: Visitor) -> None:
    for path, status, words in PROBLEMS:
        answer = admin.get(path)
        assert (answer.status, words.casefold() in text_of(answer).casefold()) == (status, True), path


def test_a_program_gets_its_problem_as_json(api: Api) -> None:
    assert api.get("/nowhere").code == "not-found"
    assert api.get("/jobs/none").code == "not-found"
    assert api.get("/jobs", role=None).code == "no-key"
    assert api.get("/v1/nowhere", headers={"Accept": "application/json"}).code == "not-found"


def test_scripts_of_our_own_stay_small() -> None:
    """What a page needs of them may grow by what another place loses; the figure and why are in decision 25."""
    own = Path(dashboard.__file__).parent.joinpath("static").glob("*.js")
    sizes = {one.name: one.stat().st_size for one in own}
    assert len(sizes) > 3 and sum(sizes.values()) <= 19_000, sizes


def test_a_file_of_a_page_is_kept_for_ever(api: Api) -> None:
    for file in static_files().values():
        answer = api.get(file.href, role=None)
        assert (answer.status, answer.body) == (200, file.content)
        assert answer.headers["content-type"] == file.media_type
        assert "immutable" in answer.headers["cache-control"]


def test_every_file_that_a_page_names_is_there(admin: Visitor) -> None:
    named = {part.split('"')[0] for part in admin.get("/").text.split('"/static/')[1:]}
    assert len(named) >= 4
    assert {admin.get(f"/static/{one}").status for one in named} == {200}


def test_the_script_of_a_page_gets_what_changes_alone(admin: Visitor) -> None:
    whole, part = admin.get("/"), admin.get("/", HX_Request="true")
    assert "<!doctype html>" in whole.text and "<header>" in whole.text
    assert part.text.startswith('<div id="live"') and part.text.rstrip().endswith("</div>")
    assert "HX-Request" in part.headers["vary"]


def test_a_problem_is_on_every_page(admin: Visitor) -> None:
    admin.api.world.submit_small()
    for path in ("/", "/jobs"):
        assert "No controller is running" in text_of(admin.get(path))


def test_the_chosen_theme_is_in_the_first_line(admin: Visitor) -> None:
    for cookie, theme in (("dark", "dark"), ("light", "light"), ("x", "system"), ("", "system")):
        admin.cookies["aw-theme"] = cookie
        assert f'data-theme="{theme}"' in admin.get("/").text


def test_only_our_own_words_are_said_as_done(admin: Visitor) -> None:
    assert "The job is queued again." in text_of(admin.get("/jobs?did=retry-job"))
    assert "evil" not in admin.get("/jobs?did=evil+words").text


def test_a_name_from_outside_stays_a_text(admin: Visitor) -> None:
    world = admin.api.world
    job_id = world.submit_small().job_id
    world.query("update datasets set filename = %s", EVIL)
    world.query("update pools set paused = true, paused_reason = %s", EVIL)
    for path in ("/", "/jobs", f"/jobs/{job_id}", f"/jobs?q={'%3Cscript%3E'}"):
        text = admin.get(path).text
        assert "<script>" not in text and "\x1b" not in text and "\u202e" not in text


def test_a_viewer_sees_no_button(visit: Callable[[str], Visitor]) -> None:
    viewer = visit("viewer")
    world = viewer.api.world
    job_id = world.submit_small().job_id
    world.client.pools.pause("default")
    for path in ("/", "/jobs", f"/jobs/{job_id}"):
        assert buttons_of(viewer.get(path)) == set()
        assert buttons_of(Visitor(viewer.api, visit("admin").cookies).get(path)) != set() or path == "/jobs"


def test_a_read_only_server_has_no_button(world: World) -> None:
    job_id = world.submit_small().job_id
    with running(world, api_read_only=True) as api:
        admin = Visitor(api)
        admin.log_in(api.keys["admin"])
        assert buttons_of(admin.get(f"/jobs/{job_id}")) == set()


def test_a_page_says_who_looks_on(visit: Callable[[str], Visitor]) -> None:
    for role in Role:
        assert f"test {role} ({role})" in text_of(visit(role).get("/"))


WRITTEN = [
    ("the file is lost", "The file is lost"), ("it", "It"), ("yob2002.txt, line 2: x", "yob2002.txt, line 2: x"),
    ("cannot_start (image)", "cannot_start (image)"), ("names-de.csv: x", "names-de.csv: x"), ("", ""),
]  # fmt: skip


def test_a_name_keeps_its_letters_at_a_beginning() -> None:
    for text, shown in WRITTEN:
        assert str(capital(text)) == shown
        assert str(capital(sentence(text))) == shown
