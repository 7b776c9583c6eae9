"""A pool's page: why it has no more runs, and its past as charts with the same numbers in words and in a table."""

from services.audit import AuditFilter
from services.figures import Sampler
from tests.dashboard.loading import PAST
from tests.dashboard.visitor import Visitor, buttons_of, text_of


def test_a_past_is_said_in_sentences_and_numbers(admin: Visitor) -> None:
    admin.api.world.query(PAST)
    page = admin.get("/pools/default")
    text = text_of(page)
    assert "Queue : at most 30 queued, at" in text or "Queue: at most 30 queued, at" in text
    assert "at most 5 min, at" in text
    assert "150 jobs ended, 30 of them failed" in text
    rows = page.text.partition('<table id="history">')[2].partition("</table>")[0]
    assert rows.count("<tr>") > 30
    assert '<td class="number">30</td><td class="number">300</td>' in rows


def test_without_a_past_it_says_so(admin: Visitor) -> None:
    text = text_of(admin.get("/pools/default"))
    assert "nothing is known of that time" in text
    assert "no job has waited" in text


def test_every_window_is_drawn(admin: Visitor) -> None:
    admin.api.world.query(PAST)
    for window in ("3h", "24h", "7d", "30d"):
        page = admin.get(f"/pools/default?window={window}")
        assert page.text.count("<figure") == 4
        assert "150 jobs ended" in text_of(page)


def test_a_window_that_is_none_is_refused(admin: Visitor) -> None:
    answer = admin.get("/pools/default?window=1y")
    assert (answer.status, "there are 3h, 24h, 7d, 30d" in text_of(answer)) == (400, True)


def test_a_pool_is_paused_resumed_and_changed(admin: Visitor) -> None:
    pools = admin.api.world.client.pools
    paused = admin.follow(admin.press(admin.get("/pools/default"), "Pause the pool"))
    assert pools.get("default").paused
    assert buttons_of(paused) >= {"Resume the pool", "Change the maximum"}
    admin.press(paused, "Resume the pool")
    assert not pools.get("default").paused
    changed = admin.follow(admin.press(paused, "Change the maximum", max_running="7"))
    assert pools.get("default").max_running == 7
    assert "The maximum is changed." in text_of(changed)


def test_a_blocked_pool_is_probed_wherever_that_is_shown(admin: Visitor) -> None:
    world = admin.api.world
    job_id = world.submit_small().job_id
    block = (
        "update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_error = 'no image',"
        " probe_at = now() + interval '1 hour'"
    )
    for path in ("/", "/pools/default", f"/jobs/{job_id}"):
        world.query(block)
        world.query("delete from controllers")
        world.query(
            "insert into controllers (owner, launcher, pools, seen_at) values ('c', 'process', '{default}', now())"
        )
        admin.api.context.sampler = Sampler(world.client.database)
        page = admin.follow(admin.press(admin.get(path), "Probe now"))
        assert "One run is tried now" in text_of(page), path
        assert world.one("select probe_at <= now() as due from pools")["due"], path
    found = world.client.audit.page(AuditFilter(action="pool.probe"), 5).items
    assert [(one.actor, one.surface) for one in found] == [("test admin", "web")] * 3
    world.client.pools.pause("default")
    admin.api.context.sampler = Sampler(world.client.database)
    assert "Probe now" not in buttons_of(admin.get("/pools/default"))


def test_a_pool_that_is_not_there(admin: Visitor) -> None:
    answer = admin.get("/pools/none")
    assert (answer.status, "there is no pool none" in text_of(answer).casefold()) == (404, True), text_of(answer)


def test_what_is_no_problem_yet_is_said_of_the_pool_alone(admin: Visitor) -> None:
    admin.api.world.client.pools.pause("default", "a test")
    page = admin.get("/pools/default")
    assert (page.status, "(a test)" in text_of(page)) == (200, True)
    assert '<section class="banner"' not in page.text
