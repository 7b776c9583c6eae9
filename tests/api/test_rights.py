"""The API's role in Postgres is enough for every route that looks."""

import pytest

from tests.api.client import running
from tests.api.matrix import LINES
from tests.api.streaming import streaming
from tests.integration.world import NO_RETRIES, World
from tests.kit.roles import as_role

pytestmark = pytest.mark.every_postgres


async def test_the_role_of_the_api_may_look_at_all(world: World) -> None:
    made = world.submit_small(2001)
    await world.run_until_idle(retry=NO_RETRIES)
    waits = world.submit_small(2002)
    with running(world, conninfo=as_role(world.conninfo, "affirm_api")) as api:
        paths = [line.asked or line.path for line in LINES if line.method == "GET" and line.statuses[3] == 200]
        for job in (made, waits):
            paths += [f"/v1/jobs/{job.job_id}{below}" for below in ("", "/story", "/runs")]
            paths += [f"/v1/datasets/{job.dataset_id}{below}" for below in ("", "/file")]
        paths += ["/v1/jobs?filename=2001&since=2020-01-01T00:00:00Z&count=estimate", "/v1/jobs?state=queued"]
        assert {path: api.get(path).status for path in paths} == dict.fromkeys(paths, 200)
        with streaming(api, f"/v1/stream?figures=1&ids={made.job_id},{made.dataset_id}") as stream:
            assert stream.until("figures")["states"]["completed"] == 1
        with streaming(api, f"/v1/jobs/{waits.job_id}/events") as stream:
            assert stream.until("state")["waiting"]["because"] == "no_controller"
