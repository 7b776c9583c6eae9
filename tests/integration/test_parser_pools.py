"""What a controller makes of ParserPools: over a real Postgres, with an API server that fails on demand."""

from pathlib import Path
from typing import Any

import pytest

from controller.launchers.kubernetes.api import ApiRefused
from controller.pools.resource import SPEC_FIELDS
from dataset_jobs.model.errors import Unavailable
from tests.fakes.parser_pools import FakeParserPools
from tests.integration.command_line import runner
from tests.integration.parser_pools import SETTINGS, controlling
from tests.integration.world import World
from tests.kit.submit import submit

pytestmark = pytest.mark.every_postgres

BAD = 'Kubernetes API: 422: Job.batch "x" is invalid: spec.template.spec.containers[0].image: Invalid value'
POOL = "select max_running, max_pending, paused from pools where name = %s"


def ready(status: dict[str, Any]) -> dict[str, Any]:
    condition: dict[str, Any]
    [condition] = [one for one in status["conditions"] if one["type"] == "Ready"]
    return condition


@pytest.mark.parametrize("status", [404, 403])
async def test_without_the_resource_or_a_right_to_it_the_settings_pool_is_served(world: World, status: int) -> None:
    cluster = FakeParserPools()
    cluster.away = ApiRefused(status, "no")
    async with controlling(world, cluster) as controller:
        assert await controller.look() == {"default": SETTINGS}
        cluster.away = None
        cluster.apply("default", maxParallelism=3)
        assert (await controller.look())["default"].max_parallelism == 3


async def test_a_pool_is_set_in_the_database_as_described(world: World) -> None:
    """A new one is made."""
    cluster = FakeParserPools()
    cluster.apply("large", maxParallelism=3, maxPendingPods=2, paused=True)
    async with controlling(world, cluster) as controller:
        assert {*await controller.look()} == {"default", "large"}
        assert world.one(POOL, "large") == {"max_running": 3, "max_pending": 2, "paused": True}
        cluster.apply("large", maxParallelism=7)
        await controller.look()
        assert world.one(POOL, "large") == {"max_running": 7, "max_pending": 100, "paused": False}


async def test_an_older_description_never_takes_the_place_of_a_newer_one(world: World) -> None:
    old, new = FakeParserPools(), FakeParserPools()
    for cluster in (old, new):
        cluster.apply("large", maxParallelism=3)
    new.apply("large", maxParallelism=7)
    async with controlling(world, new) as first, controlling(world, old) as second:
        await first.look()
        await second.look()
    assert world.one(POOL, "large")["max_running"] == 7


async def test_settings_do_not_count_for_a_described_pool(world: World) -> None:
    """A controller sets its own pool when it starts."""
    cluster = FakeParserPools()
    cluster.apply("default", maxParallelism=3)
    async with controlling(world, cluster) as controller, world.store() as store:
        await controller.look()
        assert await store.set_pool("default", 50, 50) == 3


async def test_a_pool_of_another_controller_is_not_touched(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("theirs", controller="other")
    async with controlling(world, cluster) as ours, controlling(world, cluster, "other") as theirs:
        assert {*await ours.look()} == {"default"}
        assert world.query(POOL, "theirs") == []
        await ours.pools.report({"default", "theirs"})
        assert cluster.writes == 0
        assert {*await theirs.look()} == {"default", "theirs"}


async def test_a_pool_that_nobody_heeds_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By any controller of the namespace, after its own had time; until there is one of the name."""
    cluster = FakeParserPools()
    cluster.apply("theirs", controller="rel-affirm-worker")
    async with controlling(world, cluster) as ours, controlling(world, cluster, "rel-affirm-worker") as theirs:
        await ours.look()
        assert (cluster.writes, ours.pools.warnings) == (0, [])
        monkeypatch.setattr("controller.pools.unheeded.GRACE_SECONDS", 0.0)
        await ours.look()
        [warning] = ours.pools.warnings
        assert warning.startswith(
            "ParserPool theirs names the controller rel-affirm-worker, and none of that name heeds it"
        )
        said = ready(cluster.pools["theirs"]["status"])
        assert (said["status"], said["reason"], said["message"]) == ("False", "NoController", warning)
        await ours.look()
        assert cluster.writes == 1, "what is said is not said again"
        await theirs.look()
        assert ready(await theirs.status("theirs"))["reason"] == "Serving"
        assert cluster.pools["theirs"]["status"]["state"] == "Open"
        await ours.look()
        assert ours.pools.warnings == []


async def test_who_heeds_a_pool_just_now_is_not_overwritten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.pools.unheeded.GRACE_SECONDS", 0.0)
    cluster = FakeParserPools()
    cluster.apply("theirs", controller="other")
    listed = await cluster.list_parser_pools()
    async with controlling(world, cluster) as ours, controlling(world, cluster, "other") as theirs:
        await theirs.look()
        await theirs.status("theirs")
        await ours.pools._look_at_others(listed)
    assert ready(cluster.pools["theirs"]["status"])["reason"] == "Serving"


async def test_fields_that_the_cluster_drops_are_a_warning(world: World) -> None:
    """Seen with a controller's own rights: nobody upgrades a definition whose release is gone."""
    cluster = FakeParserPools()
    cluster.fields = SPEC_FIELDS - {"retention"}
    async with controlling(world, cluster) as controller:
        await controller.look()
        [warning] = controller.pools.warnings
        assert "of an older version, without retention" in warning
        async with world.store() as store:
            await store.controller_seen("c/1", "kubernetes", ["default"], None, 0.0, controller.pools.warnings)
    run = runner(world.environment, world.folder)
    assert f"controller c/1 warns: {warning}" in " ".join(run("status").stdout.split())


async def test_where_a_pool_is_taken_away_nothing_is_claimed_after_a_restart_either(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("default", maxParallelism=3, retry={"maxRetries": 9})
    async with controlling(world, cluster) as controller:
        await controller.look()
        cluster.delete("default")
        assert await controller.look() == {}
        assert controller.pools.rules("default").retry.max_retries == 9, "what runs is treated as before"
    async with controlling(world, cluster) as restarted:
        assert await restarted.look() == {}
        cluster.apply("default", maxParallelism=2)
        assert (await restarted.look())["default"].max_parallelism == 2
        assert world.one(POOL, "default")["max_running"] == 2


async def test_a_cluster_that_has_the_resource_no_more_goes_by_the_settings(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("default", maxParallelism=3, paused=True)
    async with controlling(world, cluster) as controller:
        await controller.look()
        cluster.there = False
        assert await controller.look() == {"default": SETTINGS}
        assert world.one(POOL, "default") == {"max_running": 64, "max_pending": 100, "paused": False}


async def test_a_list_that_fails_is_never_an_empty_one(world: World) -> None:
    cluster = FakeParserPools()
    cluster.away = Unavailable("away")
    async with controlling(world, cluster) as controller:
        with pytest.raises(Unavailable):
            await controller.look()
        assert controller.pools.served == {}
        cluster.away = None
        cluster.apply("large")
        served = await controller.look()
        cluster.away = Unavailable("away")
        assert await controller.look() == served
        cluster.away = ApiRefused(403, "no more")
        assert await controller.look() == served


async def test_it_is_listed_again_only_where_an_event_says_something_new(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("large")
    async with controlling(world, cluster) as controller:
        await controller.look()
        before = cluster.lists
        cluster.apply("theirs", controller="other")
        large, theirs = cluster.pools["large"], cluster.pools["theirs"]
        assert not controller.pools.on_event(False, large), "our own write of its status"
        assert not controller.pools.on_event(False, theirs)
        assert not controller.pools.on_event(True, theirs)
        await controller.pools.refresh()
        assert cluster.lists == before
        assert controller.pools.on_event(True, large)
        cluster.apply("large", paused=True)
        assert controller.pools.on_event(False, large)
        cluster.apply("new")
        assert controller.pools.on_event(False, cluster.pools["new"])
        await controller.pools.refresh()
        assert cluster.lists == before + 1


async def test_a_refused_template_leaves_the_last_good_one(world: World) -> None:
    """The refusal is reported with its path."""
    cluster = FakeParserPools()
    cluster.refused_images["bad"] = BAD
    cluster.apply("large", runner={"image": "good"}, maxParallelism=3)
    async with controlling(world, cluster) as controller:
        await controller.look()
        assert ready(await controller.status("large"))["status"] == "True"
        cluster.apply("large", runner={"image": "bad"}, maxParallelism=1)
        spec = (await controller.look())["large"]
        assert spec.template is not None
        assert spec.template.image == "good"
        assert spec.max_parallelism == 1, "how many there are to be is not the template's matter"
        status = await controller.status("large")
        assert ready(status)["reason"] == "Refused"
        assert ready(status)["message"] == (
            "generation 2 is refused, and runs are made as generation 1 has it: spec.runner.image: Invalid value"
        )
        assert status["inForce"] == {"generation": 1, "runner": {"image": "good"}}
        assert controller.told == ["large: Refused: spec.runner.image: Invalid value"]
    async with controlling(world, cluster) as restarted:
        spec = (await restarted.look())["large"]
        assert spec.template is not None
        assert spec.template.image == "good"
        cluster.apply("large", runner={"image": "better"})
        await restarted.look()
        status = await restarted.status("large")
        assert ready(status)["status"] == "True"
        assert (status["inForce"]["generation"], status["observedGeneration"]) == (3, 3)


HOST = {"spec": {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}}


async def test_a_pod_that_has_more_than_runners_leaves_the_last_good_one(world: World) -> None:
    """The API server is not even asked."""
    cluster = FakeParserPools()
    cluster.apply("large", runner={"image": "good"})
    async with controlling(world, cluster) as controller:
        await controller.look()
        trials = cluster.trials
        cluster.apply("large", runner={"image": "better"}, podTemplate=HOST)
        spec = (await controller.look())["large"]
        assert spec.template is not None and spec.template.image == "good"
        assert cluster.trials == trials
        message = ready(await controller.status("large"))["message"]
        assert "spec.podTemplate.spec.volumes[host].hostPath: the restricted Pod Security Standard refuses" in message


async def test_a_status_that_somebody_forged_puts_no_such_pod_in_force(world: World) -> None:
    """A right to write the status must not be one to run any pod."""
    cluster = FakeParserPools()
    cluster.apply("large", runner={"serviceAccountName": "affirm-worker"})
    cluster.pools["large"]["status"] = {"inForce": {"generation": 1, "podTemplate": HOST}}
    async with controlling(world, cluster) as controller:
        assert {*await controller.look()} == {"default"}


async def test_jobs_of_a_refused_pool_wait_with_that_reason(world: World, tmp_path: Path) -> None:
    cluster = FakeParserPools()
    cluster.apply("large")
    async with controlling(world, cluster) as controller:
        await controller.look()
        job = submit(world.client, world.storage, world.file("yob2020.txt", "Mary,F,5\n"), pool="large").job_id
        cluster.delete("large")
        await controller.look()
        cluster.apply("large", podTemplate=HOST)
        await controller.look()
        world.query(
            "insert into controllers (owner, launcher, pools, seen_at) values ('c', 'kubernetes', '{default}', now())"
        )
        run = runner(world.environment, tmp_path)
        for said in (run("status").stdout, run("jobs", "explain", str(job)).stdout):
            assert "the ParserPool of pool large is refused: spec.podTemplate.spec.volumes[host].hostPath: " in said
            assert "claims from pool large" not in said
        for command in ("list", "show"):
            named = ("large",) if command == "show" else ()
            assert "spec.podTemplate.spec.volumes[host].hostPath: " in run("pools", command, *named).stdout
        cluster.apply("large")
        await controller.look()
        assert "is refused" not in run("status").stdout
        cluster.apply("large", podTemplate=HOST)
        await controller.look()
        assert "is refused" in run("status").stdout
        cluster.delete("large")
        await controller.look()
        assert "is refused" not in run("status").stdout


async def test_what_was_refused_is_tried_again_since_the_reason_may_have_gone(world: World) -> None:
    cluster = FakeParserPools()
    cluster.refused_images["bad"] = BAD
    cluster.apply("large", runner={"image": "bad"})
    async with controlling(world, cluster) as controller:
        assert {*await controller.look()} == {"default"}
        await controller.look()
        assert len(controller.told) == 1, "said once"
        assert (await controller.status("large"))["state"] == "Refused"
        cluster.refused_images.clear()
        assert {*await controller.look()} == {"default", "large"}


async def test_the_settings_pool_is_served_on_where_its_first_parser_pool_is_refused(world: World) -> None:
    cluster = FakeParserPools()
    cluster.refused_images["bad"] = BAD
    cluster.apply("default", runner={"image": "bad"})
    async with controlling(world, cluster) as controller:
        assert await controller.look() == {"default": SETTINGS}


async def test_a_full_quota_is_not_held_against_a_template(world: World) -> None:
    cluster = FakeParserPools()
    cluster.refused_images["good"] = 'Kubernetes API: 403: jobs.batch "x" is forbidden: exceeded quota: few'
    cluster.apply("large", runner={"image": "good"})
    async with controlling(world, cluster) as controller:
        assert "large" in await controller.look()


async def test_a_change_of_numbers_alone_is_not_tried(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("large", maxParallelism=1)
    async with controlling(world, cluster) as controller:
        await controller.look()
        cluster.apply("large", maxParallelism=2)
        await controller.look()
        assert cluster.trials == 1


async def test_the_status_tells_the_queue_and_is_not_written_while_nothing_changes(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("default", maxParallelism=3)
    job = world.submit(world.file("yob2000.txt", "Mary,F,3\r\n"))
    async with controlling(world, cluster) as controller:
        await controller.look()
        status = await controller.status("default")
        assert (status["queued"], status["running"], status["pending"], status["state"]) == (1, 0, 0, "Open")
        submitted = world.job(job.job_id)["run_at"].timestamp()
        assert (
            status["oldestQueuedSince"]
            == world.one(
                "select to_char(to_timestamp(%s) at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as at", submitted
            )["at"]
        )
        for _ in range(3):
            await controller.look()
            await controller.status("default")
        assert cluster.writes == 1
        world.query("update jobs set state = 'cancelled', finished_at = now()")
        status = await controller.status("default")
        assert status["queued"] == 0
        assert "oldestQueuedSince" not in status
        assert cluster.writes == 2


async def test_only_the_controller_that_decides_for_a_pool_writes_its_status(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("large")
    async with controlling(world, cluster) as controller:
        await controller.look()
        await controller.pools.report(set())
        assert cluster.writes == 0
        await controller.pools.report({"large"})
        assert cluster.writes == 0, "a moment ago there was nothing to tell"
        await controller.look()
        await controller.pools.report({"large"})
        assert cluster.writes == 1


async def test_a_status_that_cannot_be_written_is_no_trouble_for_anything_else(world: World) -> None:
    cluster = FakeParserPools()
    cluster.apply("large")
    async with controlling(world, cluster) as controller:
        await controller.look()
        cluster.delete("large")
        await controller.pools.report({"large"})
        assert "large" not in await controller.look()
