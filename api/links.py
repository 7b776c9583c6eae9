"""Where things are, and actions with the request that does them."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from services.actions import Target, Verb
from services.to_json import to_json

_JOB, _DATASET, _POOL, _SCHEDULE = "/v1/jobs/{id}", "/v1/datasets/{id}", "/v1/pools/{id}", "/v1/schedules/{id}"

_REQUESTS: dict[tuple[Verb, Target], tuple[str, str]] = {
    (Verb.SHOW, Target.JOB): ("GET", f"{_JOB}/story"),
    (Verb.CANCEL, Target.JOB): ("POST", f"{_JOB}/cancel"),
    (Verb.RETRY, Target.JOB): ("POST", f"{_JOB}/retry"),
    (Verb.RUN_NOW, Target.JOB): ("POST", f"{_JOB}/run-now"),
    (Verb.SET, Target.JOB): ("PATCH", _JOB),
    (Verb.SHOW, Target.DATASET): ("GET", _DATASET),
    (Verb.REPROCESS, Target.DATASET): ("POST", f"{_DATASET}/reprocess"),
    (Verb.DELETE, Target.DATASET): ("DELETE", _DATASET),
    (Verb.RESUBMIT, Target.FILE): ("POST", "/v1/datasets/upload"),
    (Verb.DESCRIBE, Target.FILE): ("POST", "/v1/datasets/validate"),
    (Verb.PAUSE, Target.POOL): ("POST", f"{_POOL}/pause"),
    (Verb.RESUME, Target.POOL): ("POST", f"{_POOL}/resume"),
    (Verb.PROBE, Target.POOL): ("POST", f"{_POOL}/probe"),
    (Verb.RUN_NOW, Target.SCHEDULE): ("POST", f"{_SCHEDULE}/run"),
    (Verb.PAUSE, Target.SCHEDULE): ("POST", f"{_SCHEDULE}/pause"),
    (Verb.RESUME, Target.SCHEDULE): ("POST", f"{_SCHEDULE}/resume"),
    (Verb.REMOVE, Target.SCHEDULE): ("DELETE", _SCHEDULE),
    (Verb.REVOKE, Target.KEY): ("DELETE", "/v1/keys/{id}"),
    (Verb.LIST, Target.FORMATS): ("GET", "/v1/parsers"),
    (Verb.LIST, Target.FAILED_JOBS): ("GET", "/v1/failures"),
    (Verb.LIST, Target.POOLS): ("GET", "/v1/pools"),
    (Verb.LIST, Target.SCHEDULES): ("GET", "/v1/schedules"),
    (Verb.RETRY, Target.FAILED_JOBS): ("POST", "/v1/operations"),
    (Verb.CANCEL, Target.OPERATION): ("POST", "/v1/operations/{id}/cancel"),
    (Verb.SHOW, Target.INSTALLATION): ("GET", "/v1/status"),
}
"""The request that does an action. Others are for whoever runs the installation."""


def linked(value: Any) -> Any:
    """The JSON of what services return; each action in it has its request: `method`, `href`, `body`."""
    return _linked(to_json(value))


def _linked(value: Any) -> Any:
    if isinstance(value, list):
        return [_linked(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _linked(one) for name, one in value.items()}
    if isinstance(found.get("actions"), list):
        found["actions"] = [_action(one) for one in found["actions"]]
    return found


def _action(offer: dict[str, Any]) -> dict[str, Any]:
    what = Verb(offer["action"]), Target(offer["target"])
    method, path = _REQUESTS.get(what, (None, None))
    href = None if path is None else path.format(id=quote(str(offer["id"]), safe=""))
    return {**offer, "method": method, "href": href, "body": _body(offer) if method in ("POST", "PATCH") else None}


def _body(offer: dict[str, Any]) -> dict[str, Any]:
    """What is sent along. What a person has to say is there, and empty."""
    if offer["target"] == Target.FAILED_JOBS:
        return {"action": offer["action"], "filter": {"state": "failed", "cause": offer["id"]}, "dry_run": True}
    return {**offer["parameters"], **dict.fromkeys(offer["asks"])}


def job_links(job_id: UUID, dataset_id: UUID, pool: str) -> dict[str, str]:
    """What belongs to a job."""
    at = f"/v1/jobs/{job_id}"
    return {
        "self": at,
        "story": f"{at}/story",
        "runs": f"{at}/runs",
        "events": f"{at}/events",
        "dataset": f"/v1/datasets/{dataset_id}",
        "pool": f"/v1/pools/{quote(pool, safe='')}",
    }


def dataset_links(dataset_id: UUID) -> dict[str, str]:
    """What belongs to a dataset."""
    at = f"/v1/datasets/{dataset_id}"
    return {"self": at, "file": f"{at}/file", "jobs": f"/v1/jobs?dataset_id={dataset_id}"}
