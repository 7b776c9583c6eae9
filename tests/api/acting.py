"""Every act over HTTP as a table: what makes it possible, the request, and what comes of it once and again."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from dataset_jobs.model.actor import Act
from services.filters import JobFilter
from services.operation_acts import Doing
from tests.api.client import Answer, Api

FAIL = (
    "update jobs set state = 'failed', last_cause = 'rejected', last_error = 'bad', finished_at = now() - interval"
    " '2 days' where id = %s"
)
SCHEDULE = {"name": "us", "cron": "0 5 * * *", "country": "US", "location": "in"}


class Case(NamedTuple):
    """An act.

    Args:
        act: as the audit has it.
        method, path: of the route; the path has `{}` where what `given` makes is named.
        given: makes it possible.
        first, again: the statuses of the request, and of the same one after it.
        body: JSON of the request.
        times: how often the audit has it when it was asked for twice.
    """

    act: Act
    method: str
    path: str
    given: Callable[[Api], object]
    first: int
    again: int
    body: Any = None
    times: int = 2

    def ask(self, api: Api, target: object, role: str = "admin", **how: Any) -> Answer:
        """Sends the request."""
        return api.request(self.method, self.path.format(target), role=role, json_body=self.body, **how)


def waiting(api: Api) -> UUID:
    return api.world.submit_small().job_id


def failed(api: Api) -> UUID:
    job_id = waiting(api)
    api.world.query(FAIL, job_id)
    return job_id


def later(api: Api) -> UUID:
    job_id = waiting(api)
    api.world.query("update jobs set state = 'scheduled', run_at = now() + interval '1 day' where id = %s", job_id)
    return job_id


def dataset(api: Api) -> UUID:
    return api.world.submit_small().dataset_id


def idle_dataset(api: Api) -> UUID:
    return api.world.client.jobs.get(failed(api))[0].dataset_id


def blocked(api: Api) -> str:
    api.world.query(
        "update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_error = 'x', probe_at = now()"
        " + interval '1 hour'"
    )
    return "default"


def nothing(_: Api) -> str:
    return "default"


def folder(api: Api) -> str:
    (api.world.folder / "storage" / "in").mkdir(exist_ok=True)
    return "us"


def schedule(api: Api) -> str:
    folder(api)
    api.world.client.schedules.add("us", "0 5 * * *", "UTC", "in", "US", "default")
    return "us"


def key(api: Api) -> str:
    made = api.post("/v1/keys", json_body={"name": "to be revoked", "role": "viewer"})
    return str(made.json["data"]["id"])


def operation(api: Api) -> UUID:
    """One that somebody else carries on, so that it does not end meanwhile."""
    made = api.world.client.operations.start(Doing.RETRY, JobFilter(batch="none")).id
    # The API may have begun it already.
    api.world.query(
        "update operations set state = 'running', ended_at = null, holder = gen_random_uuid(),"
        " lease_until = now() + interval '1 hour' where id = %s",
        made,
    )
    return made


ACTS = {
    "cancel": Case(Act.JOB_CANCEL, "POST", "/v1/jobs/{}/cancel", waiting, 200, 200, {"reason": "tests"}, times=1),
    "retry": Case(Act.JOB_RETRY, "POST", "/v1/jobs/{}/retry", failed, 200, 409, times=1),
    "run-now": Case(Act.JOB_SET, "POST", "/v1/jobs/{}/run-now", later, 200, 200),
    "change-job": Case(Act.JOB_SET, "PATCH", "/v1/jobs/{}", waiting, 200, 200, {"priority": 3}),
    "purge": Case(Act.OPERATION_START, "DELETE", "/v1/jobs?older_than=1d", failed, 202, 202),
    "reprocess": Case(Act.DATASET_REPROCESS, "POST", "/v1/datasets/{}/reprocess", idle_dataset, 202, 409, times=1),
    "delete-dataset": Case(Act.DATASET_DELETE, "DELETE", "/v1/datasets/{}", dataset, 204, 404, times=1),
    "start": Case(
        Act.OPERATION_START, "POST", "/v1/operations", failed, 202, 202,
        {"action": "retry", "filter": {"state": "failed"}},
    ),
    "cancel-operation": Case(
        Act.OPERATION_CANCEL, "POST", "/v1/operations/{}/cancel", operation, 200, 200, times=1
    ),
    "pause": Case(Act.POOL_PAUSE, "POST", "/v1/pools/{}/pause", nothing, 200, 200, {"reason": "tests"}),
    "resume": Case(Act.POOL_RESUME, "POST", "/v1/pools/{}/resume", nothing, 200, 200),
    "probe": Case(Act.POOL_PROBE, "POST", "/v1/pools/{}/probe", blocked, 200, 200),
    "add-schedule": Case(Act.SCHEDULE_ADD, "POST", "/v1/schedules", folder, 201, 409, SCHEDULE, times=1),
    "change-schedule": Case(Act.SCHEDULE_CHANGE, "PATCH", "/v1/schedules/{}", schedule, 200, 200, {"priority": 3}),
    "remove-schedule": Case(Act.SCHEDULE_REMOVE, "DELETE", "/v1/schedules/{}", schedule, 204, 404, times=1),
    "pause-schedule": Case(Act.SCHEDULE_PAUSE, "POST", "/v1/schedules/{}/pause", schedule, 200, 200),
    "resume-schedule": Case(Act.SCHEDULE_RESUME, "POST", "/v1/schedules/{}/resume", schedule, 200, 200),
    "run-schedule": Case(Act.SCHEDULE_RUN, "POST", "/v1/schedules/{}/run", schedule, 202, 0),
    "add-country": Case(
        Act.COUNTRY_ADD, "POST", "/v1/countries", nothing, 201, 409, {"code": "XX", "name": "Atlantis"}, times=1
    ),
    "change-country": Case(
        Act.COUNTRY_CHANGE, "PATCH", "/v1/countries/SE", nothing, 200, 200, {"name": "Svea rike"}
    ),
    "remove-country": Case(Act.COUNTRY_REMOVE, "DELETE", "/v1/countries/SE", nothing, 204, 404, times=1),
    "make-key": Case(
        Act.KEY_MAKE, "POST", "/v1/keys", nothing, 201, 409, {"name": "import", "role": "uploader"}, times=1
    ),
    "revoke-key": Case(Act.KEY_REVOKE, "DELETE", "/v1/keys/{}", key, 204, 204, times=1),
}  # fmt: skip
"""By a name. `again` is 0 where it depends on how quick the first one is."""
