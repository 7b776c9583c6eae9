"""The table of every route, and what each role gets there. A route without a line fails a test."""

from typing import NamedTuple


class Line(NamedTuple):
    """A route, and what is answered to nobody, a viewer, an uploader and an admin.

    Args:
        method, path: as the route is declared.
        asked: the path that is asked, where `path` has parameters.
        body: JSON of the request.
        statuses: what those four get.
        by_form: it is sent by a form of a page.
    """

    method: str
    path: str
    statuses: tuple[int, int, int, int]
    asked: str = ""
    body: object = None
    by_form: bool = False


EVERYBODY = (200, 200, 200, 200)
VIEWERS = (401, 200, 200, 200)
UPLOADERS = (401, 403, 200, 200)
ADMINS = (401, 403, 403, 200)
VIEWERS_ASK = (401, 400, 400, 400)
"""A viewer's stream, which would not end if nothing was wrong with its parameters."""
LOST = (401, 404, 404, 404)
"""A viewer's route, for something that is not there."""
LOST_TO_UPLOADERS = (401, 403, 404, 404)
LOST_TO_ADMINS = (401, 403, 403, 404)
SCHEDULE = {"name": "matrix", "cron": "0 5 * * *", "country": "US", "location": "in"}
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
    Line("POST", "/v1/countries", (401, 403, 403, 201), body={"code": "XQ", "name": "Elsewhere"}),
    Line("PATCH", "/v1/countries/{country}", ADMINS, "/v1/countries/XQ", {"name": "Nowhere"}),
    Line("DELETE", "/v1/countries/{country}", (401, 403, 403, 204), "/v1/countries/XQ"),
    Line("GET", "/v1/parsers", VIEWERS),
    Line("POST", "/v1/datasets/upload", (401, 403, 415, 415)),
    Line("PUT", "/v1/datasets/upload/{filename}", (401, 403, 422, 422), "/v1/datasets/upload/yob2020.txt"),
    Line("POST", "/v1/datasets/validate", (401, 403, 415, 415)),
    Line("POST", "/v1/datasets/known", (401, 403, 200, 200), body={"country": "US", "sha256": []}),
    Line("GET", "/v1/datasets/upload/limits", VIEWERS),
    Line("GET", "/v1/keys", ADMINS),
    Line("POST", "/v1/keys", (401, 403, 403, 201), body={"name": "another", "role": "viewer"}),
    Line("DELETE", "/v1/keys/{key_id}", (401, 403, 403, 404), "/v1/keys/00000000"),
    Line("GET", "/v1/status", VIEWERS),
    Line("GET", "/v1/datasets", VIEWERS),
    Line("GET", "/v1/datasets/{dataset_id}", LOST, f"/v1/datasets/{NOBODY_ID}"),
    Line("GET", "/v1/datasets/{dataset_id}/file", LOST, f"/v1/datasets/{NOBODY_ID}/file"),
    Line("GET", "/v1/jobs", VIEWERS),
    Line("GET", "/v1/jobs/{job_id}", LOST, f"/v1/jobs/{NOBODY_ID}"),
    Line("GET", "/v1/jobs/{job_id}/story", LOST, f"/v1/jobs/{NOBODY_ID}/story"),
    Line("GET", "/v1/jobs/{job_id}/runs", LOST, f"/v1/jobs/{NOBODY_ID}/runs"),
    Line("GET", "/v1/jobs/{job_id}/events", LOST, f"/v1/jobs/{NOBODY_ID}/events"),
    Line("GET", "/v1/stream", VIEWERS_ASK, "/v1/stream?ids=x"),
    Line("GET", "/v1/failures", VIEWERS),
    Line("GET", "/v1/failures/jobs", VIEWERS),
    Line("POST", "/v1/jobs/progress", VIEWERS, body={"ids": []}),
    Line("GET", "/v1/pools", VIEWERS),
    Line("GET", "/v1/pools/{name}", VIEWERS, "/v1/pools/default"),
    Line("GET", "/v1/pools/{name}/history", VIEWERS, "/v1/pools/default/history"),
    Line("GET", "/v1/operations", VIEWERS),
    Line("GET", "/v1/operations/{operation_id}", LOST, f"/v1/operations/{NOBODY_ID}"),
    Line("GET", "/v1/schedules", VIEWERS),
    Line("GET", "/v1/schedules/{name}", LOST, "/v1/schedules/none"),
    Line("GET", "/v1/audit", ADMINS),
    Line("POST", "/v1/datasets/{dataset_id}/reprocess", LOST_TO_UPLOADERS, f"/v1/datasets/{NOBODY_ID}/reprocess"),
    Line("DELETE", "/v1/datasets/{dataset_id}", LOST_TO_ADMINS, f"/v1/datasets/{NOBODY_ID}"),
    Line("POST", "/v1/jobs/{job_id}/cancel", LOST_TO_UPLOADERS, f"/v1/jobs/{NOBODY_ID}/cancel"),
    Line("POST", "/v1/jobs/{job_id}/retry", LOST_TO_UPLOADERS, f"/v1/jobs/{NOBODY_ID}/retry"),
    Line("POST", "/v1/jobs/{job_id}/run-now", LOST_TO_ADMINS, f"/v1/jobs/{NOBODY_ID}/run-now"),
    Line("PATCH", "/v1/jobs/{job_id}", LOST_TO_ADMINS, f"/v1/jobs/{NOBODY_ID}", {"priority": 1}),
    Line("DELETE", "/v1/jobs", (401, 403, 403, 202), "/v1/jobs?older_than=90d"),
    Line("POST", "/v1/operations", (401, 403, 403, 202), "", {"action": "retry", "filter": {"batch": "none"}}),
    Line("POST", "/v1/operations/{operation_id}/cancel", LOST_TO_ADMINS, f"/v1/operations/{NOBODY_ID}/cancel"),
    Line("PATCH", "/v1/pools/{name}", ADMINS, "/v1/pools/default", {"max_running": 5}),
    Line("POST", "/v1/pools/{name}/pause", ADMINS, "/v1/pools/default/pause"),
    Line("POST", "/v1/pools/{name}/resume", ADMINS, "/v1/pools/default/resume"),
    Line("POST", "/v1/pools/{name}/probe", ADMINS, "/v1/pools/default/probe"),
    Line("POST", "/v1/schedules", (401, 403, 403, 201), "", SCHEDULE),
    Line("PATCH", "/v1/schedules/{name}", ADMINS, "/v1/schedules/matrix", {"priority": 1}),
    Line("POST", "/v1/schedules/{name}/pause", ADMINS, "/v1/schedules/matrix/pause"),
    Line("POST", "/v1/schedules/{name}/resume", ADMINS, "/v1/schedules/matrix/resume"),
    Line("POST", "/v1/schedules/{name}/run", (401, 403, 403, 202), "/v1/schedules/matrix/run"),
    Line("DELETE", "/v1/schedules/{name}", (401, 403, 403, 204), "/v1/schedules/matrix"),
]

PAGES = [
    Line("GET", "/static/{digest}/{name}", (404, 404, 404, 404), "/static/00000000/style.css"),
    Line("GET", "/login", EVERYBODY),
    Line("POST", "/login", (422, 422, 422, 422), by_form=True),
    Line("POST", "/logout", (303, 303, 303, 303), by_form=True),
    Line("GET", "/", VIEWERS),
    Line("GET", "/jobs", VIEWERS),
    Line("GET", "/failures", VIEWERS),
    Line("GET", "/pools/{name}", VIEWERS, "/pools/default"),
    Line("GET", "/datasets", VIEWERS),
    Line("GET", "/datasets/{dataset_id}", LOST, f"/datasets/{NOBODY_ID}"),
    Line("GET", "/schedules", VIEWERS),
    Line("GET", "/schedules/{name}", LOST, "/schedules/none"),
    Line("POST", "/schedules/{name}", LOST_TO_ADMINS, "/schedules/none", by_form=True),
    Line("GET", "/new-schedule", ADMINS),
    Line("GET", "/settings", VIEWERS),
    Line("POST", "/logout-others", (401, 303, 303, 303), by_form=True),
    Line("GET", "/keys", ADMINS),
    Line("POST", "/keys", (401, 403, 403, 422), by_form=True),
    Line("GET", "/audit", ADMINS),
    Line("GET", "/doctor", ADMINS),
    Line("POST", "/doctor", (401, 403, 403, 303), by_form=True),
    Line("POST", "/new-schedule", (401, 403, 403, 422), by_form=True),
    Line("GET", "/jobs/{job_id}", LOST, f"/jobs/{NOBODY_ID}"),
    Line("GET", "/operations", VIEWERS),
    Line("GET", "/operations/new", ADMINS, "/operations/new?action=retry&q=state:failed"),
    Line("GET", "/operations/{operation_id}", LOST, f"/operations/{NOBODY_ID}"),
    Line("POST", "/operations", (401, 403, 403, 422), by_form=True),
    Line("GET", "/keyboard", VIEWERS),
    Line("GET", "/selection", (401, 403, 303, 303), "/selection?act=retry"),
    Line("POST", "/selection", (401, 403, 422, 422), by_form=True),
    Line("GET", "/upload", UPLOADERS),
    Line("POST", "/upload", (401, 403, 415, 415), by_form=True),
    Line("POST", "/upload/chosen", (401, 403, 422, 422), by_form=True),
    Line("POST", "/upload/retry", (401, 403, 422, 422), by_form=True),
    Line("GET", "/uploads/{batch:path}", VIEWERS, "/uploads/none"),
    Line("POST", "/act", (401, 403, 422, 422), by_form=True),
]
"""The routes of pages."""
