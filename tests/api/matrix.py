"""The table of every route, and what each role gets there. A route without a line fails a test."""

from typing import NamedTuple


class Line(NamedTuple):
    """A route, and what is answered to nobody, a viewer, an uploader and an admin.

    Args:
        method, path: as the route is declared.
        asked: the path that is asked, where `path` has parameters.
        body: JSON of the request.
        statuses: what those four get.
    """

    method: str
    path: str
    statuses: tuple[int, int, int, int]
    asked: str = ""
    body: object = None


EVERYBODY = (200, 200, 200, 200)
VIEWERS = (401, 200, 200, 200)
ADMINS = (401, 403, 403, 200)
LOST = (401, 404, 404, 404)
"""A viewer's route, for something that is not there."""
NOBODY_ID = "00000000-0000-4000-8000-000000000000"

LINES = [
    Line("GET", "/healthz", EVERYBODY),
    Line("GET", "/readyz", EVERYBODY),
    Line("GET", "/health", EVERYBODY),
    Line("GET", "/ready", EVERYBODY),
    Line("GET", "/v1/openapi.json", EVERYBODY),
    Line("GET", "/docs", EVERYBODY),
    Line("GET", "/problems/{code}", EVERYBODY, "/problems/no-key"),
    Line("GET", "/v1/me", VIEWERS),
    Line("GET", "/v1/countries", VIEWERS),
    Line("GET", "/v1/countries/{country}", VIEWERS, "/v1/countries/us"),
    Line("GET", "/v1/parsers", VIEWERS),
    Line("GET", "/v1/status", VIEWERS),
    Line("GET", "/v1/datasets", VIEWERS),
    Line("GET", "/v1/datasets/{dataset_id}", LOST, f"/v1/datasets/{NOBODY_ID}"),
    Line("GET", "/v1/datasets/{dataset_id}/file", LOST, f"/v1/datasets/{NOBODY_ID}/file"),
    Line("GET", "/v1/jobs", VIEWERS),
    Line("GET", "/v1/jobs/{job_id}", LOST, f"/v1/jobs/{NOBODY_ID}"),
    Line("GET", "/v1/jobs/{job_id}/story", LOST, f"/v1/jobs/{NOBODY_ID}/story"),
    Line("GET", "/v1/jobs/{job_id}/runs", LOST, f"/v1/jobs/{NOBODY_ID}/runs"),
    Line("GET", "/v1/failures", VIEWERS),
    Line("GET", "/v1/pools", VIEWERS),
    Line("GET", "/v1/pools/{name}", VIEWERS, "/v1/pools/default"),
    Line("GET", "/v1/pools/{name}/history", VIEWERS, "/v1/pools/default/history"),
    Line("GET", "/v1/operations", VIEWERS),
    Line("GET", "/v1/operations/{operation_id}", LOST, f"/v1/operations/{NOBODY_ID}"),
    Line("GET", "/v1/schedules", VIEWERS),
    Line("GET", "/v1/schedules/{name}", LOST, "/v1/schedules/none"),
    Line("GET", "/v1/audit", ADMINS),
]
