"""Every route × every role: who gets what."""

import pytest

import dashboard
from api import routes
from api.access import Access
from api.app import bare_app
from api.declared import DeclaredRoute, declared_by
from tests.api.client import Api
from tests.api.matrix import LINES, PAGES, Line

TOPICS = (*routes.ALL, *dashboard.ALL)
EVERY_LINE = [*LINES, *PAGES]
ROLES = (None, "viewer", "uploader", "admin")
ALLOWED = {
    Access.PUBLIC: ROLES,
    Access.NAMES: ROLES[1:],
    Access.VIEWER: ROLES[1:],
    Access.UPLOADER: ROLES[2:],
    Access.ADMIN: ROLES[3:],
}


def declared() -> dict[tuple[str, str], DeclaredRoute]:
    routed = (route for route in bare_app(TOPICS).routes if isinstance(route, DeclaredRoute))
    return {(route.method, route.path): route for route in routed}


def test_every_route_has_a_line() -> None:
    assert sorted(declared()) == sorted((line.method, line.path) for line in EVERY_LINE)


def test_every_route_declares_its_access() -> None:
    assert [route for route in bare_app(TOPICS).routes if declared_by(route) is None] == []
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


@pytest.mark.parametrize("line", EVERY_LINE, ids=lambda line: f"{line.method} {line.path}")
def test_the_line_fits_the_declared_access(line: Line) -> None:
    passes = [role for role, status in zip(ROLES, line.statuses, strict=True) if status not in (401, 403)]
    assert passes == [*ALLOWED[declared()[line.method, line.path].declared.access]]


def test_each_role_gets_what_the_table_says(api: Api) -> None:
    got = {}
    for line in EVERY_LINE:
        path = line.asked or line.path
        headers = {"Sec-Fetch-Site": "same-origin"} if line.by_form else {}
        asked = [
            api.request(line.method, path, role=role, json_body=line.body, headers=headers).status for role in ROLES
        ]
        got[line.method, line.path] = tuple(asked)
    assert got == {(line.method, line.path): line.statuses for line in EVERY_LINE}


def test_no_page_is_in_the_document_of_the_api(api: Api) -> None:
    paths = api.get("/v1/openapi.json").json["paths"]
    assert sorted(paths) == sorted({line.path for line in LINES})
    assert "/jobs/{job_id}" not in api.get("/docs").text.replace("/v1/jobs/{job_id}", "")
