"""What people live through with the pages, in a real browser, on the real API, Postgres and children that load files.

One server, one controller and one login serve all of it. After each scenario the browser must have complained of
nothing but what the scenario names: no error of a script, nothing refused by the policy, no request elsewhere.
"""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from api import context as api_context
from api.server import GRACE_SECONDS, listen
from app.settings import Settings
from cli.serving import served_beside
from services.keys import Keys, Role
from tests.api.client import Api, running
from tests.api.served import serving
from tests.dashboard.browser import Tab, tab
from tests.dashboard.controlling import controlling
from tests.integration.world import World
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy

pytestmark = pytest.mark.needs("browser")

SLOWLY = 60_000
"""Milliseconds: for whatever takes a round of figures, a run or a connection, on a machine that has much to do."""


class House:
    """The one installation of all scenarios.

    Args:
        api: the server, which asks the database by way of the proxy.
        proxy: before the database.
    """

    def __init__(self, api: Api, proxy: FaultProxy) -> None:
        self.api = api
        self.world = api.world
        self.proxy = proxy
        self._year = 1900

    def file(self, rows: int = 1) -> Path:
        """A file of a year that no other has."""
        self._year += 1
        text = "".join(f"Name{number},F,{number + self._year}\n" for number in range(rows))
        return self.world.file(f"yob{self._year}.txt", text)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Runs go on reading, and write no row meanwhile."""
        with psycopg.connect(self.world.conninfo) as connection:
            connection.execute("lock table names in share mode")
            yield
            connection.rollback()


@pytest.fixture(scope="module")
def house(postgres: PostgresServer, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """It runs, with a controller."""
    name = "scenarios"
    world = World(postgres.create_database(name, template), tmp_path_factory.mktemp(name))
    with pytest.MonkeyPatch.context() as patch, FaultProxy(postgres.port) as proxy:
        patch.setattr(api_context, "ANSWER_SECONDS", 1.0)
        patch.setattr(api_context, "CONNECTION_SECONDS", 1.0)
        with running(world, conninfo=proxy.url(world.conninfo)) as api, controlling(world):
            yield House(api, proxy)
    world.client.close()
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def logged_in(browser: Browser, house: House) -> Iterator[Tab]:
    """The tab of an admin."""
    with tab(browser, house.api) as made:
        made.log_in()
        yield made


@pytest.fixture
def screen(logged_in: Tab) -> Iterator[Tab]:
    """The same tab for each scenario; the one after which the browser complains is the one that fails."""
    yield logged_in
    logged_in.note_violations()
    complaints, logged_in.complaints[:], logged_in.expected[:] = [*logged_in.complaints], [], []
    assert complaints == [], complaints


def heading(page: Page, words: str) -> None:
    """Waits until the page is about that."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(words, timeout=SLOWLY)


def liveness(page: Page, words: str) -> None:
    """Waits until the page says so of itself."""
    expect(page.locator("#liveness")).to_contain_text(words, timeout=SLOWLY)


def test_a_run_is_watched_to_its_end(house: House, screen: Tab) -> None:
    with house.held():
        submitted = house.world.submit(house.file(20_000))
        screen.open(f"/jobs/{submitted.job_id}")
        heading(screen.page, "running")
        main = screen.page.get_by_role("main")
        expect(main).to_contain_text("20,000 rows", timeout=SLOWLY)
        expect(main.get_by_role("progressbar")).to_be_visible()
    heading(screen.page, "completed")
    assert house.world.rows(submitted.dataset_id) == 20_000


def test_a_failure_tells_why_and_is_retried_to_success(house: House, screen: Tab) -> None:
    """The file is lost, and found again."""
    house.world.client.pools.pause("default")
    submitted = house.world.submit(house.file())
    uri = str(house.world.dataset(submitted.dataset_id)["storage_uri"])
    stored = house.world.folder / "storage" / uri.partition(":")[2]
    content = stored.read_bytes()
    stored.unlink()
    house.world.client.pools.resume("default")
    screen.open(f"/jobs/{submitted.job_id}")
    heading(screen.page, "failed")
    expect(screen.page.get_by_role("heading", name="What you can do")).to_be_visible()
    stored.write_bytes(content)
    screen.page.get_by_role("button", name="Retry now").click()
    expect(screen.page.get_by_role("status")).to_have_text("The job is queued again.")
    heading(screen.page, "completed")
    expect(screen.page.get_by_role("main")).to_contain_text("job.retry by test admin (web)")


def test_a_run_is_cancelled(house: House, screen: Tab) -> None:
    with house.held():
        submitted = house.world.submit(house.file(20_000))
        screen.open(f"/jobs/{submitted.job_id}")
        heading(screen.page, "running")
        screen.page.get_by_role("button", name="Cancel").click()
        expect(screen.page.get_by_role("status")).to_contain_text("its run is being stopped")
        heading(screen.page, "cancelled")
    assert house.world.rows(submitted.dataset_id) == 0


def test_a_pool_is_paused_and_a_job_says_that_it_waits_for_that(house: House, screen: Tab) -> None:
    screen.open("/")
    screen.page.get_by_role("row", name="default").get_by_role("button", name="Pause the pool").click()
    expect(screen.page.get_by_role("status")).to_contain_text("The pool is paused")
    submitted = house.world.submit(house.file())
    screen.open(f"/jobs/{submitted.job_id}")
    main = screen.page.get_by_role("main")
    expect(main).to_contain_text("is paused", timeout=SLOWLY)
    main.get_by_role("button", name="Resume the pool").first.click()
    heading(screen.page, "completed")


def test_a_revoked_key_leads_to_the_login_and_loses_nothing_typed(house: House, browser: Browser) -> None:
    """One tab only looks; in the other one something is typed, and is used after a login in a third."""
    keys = Keys(house.world.client.database)
    one, other = (keys.make(name, Role.VIEWER) for name in ("one", "other"))
    with tab(browser, house.api) as looking:
        looking.expected.append("status of 401")
        looking.api.keys["one"] = one.text
        looking.log_in("one")
        typing = looking.watch(looking.page.context.new_page())
        typing.goto(f"{looking.address}/jobs")
        for page in (looking.page, typing):
            liveness(page, "live")
        typing.get_by_label("Filter").fill("state:completed yob19")
        keys.revoke(one.key.id)
        heading(looking.page, "Log in")
        expect(looking.page.get_by_role("main")).to_contain_text("somebody has revoked its key")
        liveness(typing, "logged out")
        expect(typing.get_by_role("status")).to_contain_text("What you typed is still here")
        with typing.context.expect_page() as opened:
            typing.get_by_role("link", name="log in again").click()
        opened.value.get_by_label("Key").fill(other.text)
        opened.value.get_by_role("button", name="Log in").click()
        heading(opened.value, "Jobs")
        expect(typing.get_by_label("Filter")).to_have_value("state:completed yob19")
        typing.get_by_label("Filter").press("Enter")
        typing.wait_for_url("**/jobs?q=state%3Acompleted+yob19")


def test_a_lost_database_leaves_the_page_and_comes_back(house: House, screen: Tab) -> None:
    """A page that is open says since when it is old; one that is opened says what is wrong. Both come back."""
    screen.expected += ["status of 503"]
    screen.page.clock.install()
    screen.open("/")
    liveness(screen.page, "live")
    opened = screen.watch(screen.page.context.new_page())
    with house.proxy.refusing():
        house.proxy.cut_all()
        screen.page.clock.fast_forward("00:30")  # nothing is heard of the figures
        liveness(screen.page, "not up to date since ")
        with screen.page.expect_response(lambda answer: answer.status == 503):
            screen.page.evaluate("htmx.trigger(document.getElementById('live'), 'aw:news')")
        opened.goto(f"{screen.address}/jobs")
        heading(opened, "Database away")
        heading(screen.page, "Overview")
        expect(screen.page.get_by_role("row", name="default")).to_be_visible()
        liveness(screen.page, "not up to date since ")
    liveness(screen.page, "live")
    heading(opened, "Jobs")
    opened.close()


def test_a_server_that_is_told_to_end_is_missed_and_found_again(house: House, browser: Browser) -> None:
    """It ends while three tabs look on, and another one begins at its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    job_id = house.world.submit(house.file()).job_id
    environment = {**house.world.environment, "AFFIRM_WORKER_HOME": str(house.world.folder)}
    with tab(browser, house.api) as first, serving(environment, "--listen", address) as served:
        first.at = f"http://{address}"
        first.expected += ["net::ERR_", "Failed to fetch"]  # whatever becomes of requests to a server that is gone
        first.log_in()
        pages = [first.page, *(first.watch(first.page.context.new_page()) for _ in range(2))]
        for page, path in zip(pages, ("/", "/jobs", f"/jobs/{job_id}"), strict=True):
            page.goto(first.address + path)
            liveness(page, "live")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(GRACE_SECONDS + 55) == 0
        for page in pages:
            liveness(page, "connection lost since ")
        house.world.client.pools.pause("default", "the server was away")
        settings = Settings(storage_path=environment["STORAGE_PATH"], affirm_worker_home=house.world.folder)
        with served_beside(settings, house.world.conninfo, listen(address)):
            for page in pages:
                liveness(page, "live")
            expect(first.page.get_by_role("main")).to_contain_text("the server was away", timeout=SLOWLY)
    house.world.client.pools.resume("default")
