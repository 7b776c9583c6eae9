"""Doctor: what works and what does not, with what puts it right; also while the database is lost."""

import threading
from collections.abc import Callable, Iterator

import pytest

from api import context as api_context
from api.access import Caller, Via
from api.checkup import Doctor
from api.lately import LASTS_SECONDS, MOST, Lately
from dashboard.routes import doctor as page_of_doctor
from services.checks.checkup import Check
from services.checks.findings import Finding, Fix, ok, wrong
from services.keys import Keys, Role
from tests.api.client import running
from tests.dashboard.visitor import Visitor, text_of
from tests.integration.world import World
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy

WAIT_SECONDS = 60.0


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[FaultProxy]:
    """Before the session's Postgres."""
    with FaultProxy(postgres.port) as made:
        yield made


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The button waits for the end of the checks, however slow this machine is."""
    monkeypatch.setattr(page_of_doctor, "PATIENCE_SECONDS", WAIT_SECONDS)


def looked(visitor: Visitor) -> str:
    """What the page says after its button was pressed."""
    return text_of(visitor.follow(visitor.press(visitor.get("/doctor"), "Run the checks")))


def test_the_checks_are_made_when_somebody_asks(admin: Visitor) -> None:
    text = text_of(admin.get("/doctor"))
    assert "Nobody has had them run since this server began." in text
    text = looked(admin)
    for words in (
        "✓ ok database: Postgres", "✓ ok schema: the schema", "✓ ok rights: the role", "✓ ok figures: the figures",
        "✓ ok storage:", "✓ ok parsers: 2 formats", "✓ ok descriptions:", "space: uploads while they come in",
        "⚠ warning controllers: no controller is running", "affirm-worker run",
    ):  # fmt: skip
        assert words in text, (words, text)
    assert "Nothing is wrong, " in text
    assert "Looked at" in text_of(admin.get("/doctor"))


def test_a_fix_is_a_line_to_copy(admin: Visitor) -> None:
    found = [
        wrong("a right is missing", Fix(sql="grant <all> to x;", by="a superuser")),
        wrong("no room", Fix(shell="df -h")),
    ]
    admin.api.context.doctor = Doctor(lambda: [Check("rights", lambda: found)])
    page = admin.follow(admin.post("/doctor", {}))
    text = text_of(page)
    assert "1 check found something wrong" in text and text.count("✗ WRONG rights:") == 2
    assert "A superuser: grant <all> to x; Copy" in text and "df -h Copy" in text


def test_one_checkup_is_made_for_all_who_ask(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_doctor, "PATIENCE_SECONDS", 0.0)
    begun, free = threading.Semaphore(0), threading.Event()

    def look() -> list[Finding]:
        begun.release()
        assert free.wait(WAIT_SECONDS)
        return [ok("at last")]

    doctor = admin.api.context.doctor = Doctor(lambda: [Check("slow", look, seconds=lambda: WAIT_SECONDS)])
    assert [admin.post("/doctor", {}).status for _ in range(3)] == [303] * 3
    assert begun.acquire(timeout=WAIT_SECONDS)
    page = admin.get("/doctor")
    assert "The checks are being made" in text_of(page)
    assert page.headers["refresh"] == "2; url=/doctor"
    free.set()
    doctor.look(WAIT_SECONDS)
    page = admin.get("/doctor")
    assert "at last" in text_of(page) and "refresh" not in page.headers
    assert not begun.acquire(blocking=False)


def test_a_check_without_an_end_is_given_up(admin: Visitor) -> None:
    held = threading.Event()
    checks = [
        Check("stuck", lambda: [ok(str(held.wait(WAIT_SECONDS)))], seconds=lambda: 0.1),
        Check("well", lambda: [ok("fine")]),
    ]
    admin.api.context.doctor = Doctor(lambda: checks)
    text = looked(admin)
    held.set()
    assert "✗ WRONG stuck: no answer within 0.1 s" in text and "✓ ok well: fine" in text


def test_a_lost_database_is_said_by_the_doctor(
    world: World, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_context, "CONNECTION_SECONDS", 0.1)
    with running(world, conninfo=proxy.url(world.conninfo)) as api:
        admin, viewer = Visitor(api), Visitor(api)
        for visitor, role in ((admin, "admin"), (viewer, "viewer")):
            visitor.log_in(api.keys[role])
            assert visitor.get("/").status == 200
        with proxy.refusing():
            proxy.cut_all()
            text = looked(admin)
            assert "WRONG database" in text and "skipped schema: needs database, which is wrong" in text
            assert "✓ ok storage" in text
            assert [one.get("/doctor").status for one in (viewer, Visitor(api))] == [403, 303]
            assert [admin.get(path).status for path in ("/audit", "/keys")] == [503, 503]
            assert admin.post("/keys", {"name": "x", "role": "admin"}).status == 503
        while admin.get("/keys").status == 503:  # until the pool of connections has tried again
            pass
        assert "✓ ok database" in looked(admin)


def test_a_revoked_key_is_not_known_lately(visit: Callable[[str], Visitor], monkeypatch: pytest.MonkeyPatch) -> None:
    admin = visit("admin")
    keys = Keys(admin.api.world.client.database)
    keys.make("another", Role.ADMIN)
    [token] = admin.cookies.values()
    assert admin.get("/").status == 200
    assert admin.api.context.lately.caller(token) is not None
    keys.revoke(next(one.id for one in keys.all() if one.name == "test admin"))
    assert admin.get("/").status == 303
    assert admin.api.context.lately.caller(token) is None


@pytest.mark.parametrize("way", ["logout", "by a page", "by the API", "elsewhere"])
def test_whoever_is_sent_away_is_forgotten_at_once(visit: Callable[[str], Visitor], way: str) -> None:
    admin, viewer = visit("admin"), visit("viewer")
    [token], lately = viewer.cookies.values(), admin.api.context.lately
    assert viewer.get("/").status == 200 and lately.caller(token) is not None
    key = next(one.id for one in Keys(admin.api.world.client.database).all() if one.name == "test viewer")
    match way:
        case "logout":
            viewer.post("/logout", {})
        case "by a page":
            admin.post("/act", {"action": "revoke", "target": "key", "id": key, "sure": "yes"})
        case "by the API":
            assert admin.api.delete(f"/v1/keys/{key}").status == 204
        case _:
            other = visit("viewer")
            other.post("/logout-others", {})
    assert lately.caller(token) is None


def test_somebody_is_known_for_a_while() -> None:
    now = [0.0]
    lately = Lately(lambda: now[0])
    caller = Caller("anna", Role.ADMIN, Via.SESSION, "key 1")
    lately.note("a", caller)
    assert (lately.caller("a"), lately.caller("b")) == (caller, None)
    now[0] = LASTS_SECONDS
    assert lately.caller("a") is None
    for number in range(MOST + 1):
        lately.note(str(number), caller)
    assert (lately.caller("0"), lately.caller("1")) == (None, caller)
