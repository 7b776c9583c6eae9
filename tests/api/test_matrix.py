"""Every route × every role: who gets what."""

import pytest

from api import routes
from api.access import Access
from api.app import bare_app
from api.declared import DeclaredRoute, declared_by
from tests.api.client import Api
from tests.api.matrix import LINES, Line

ROLES = (None, "viewer", "uploader", "admin")
ALLOWED = {
    Access.PUBLIC: ROLES,
    Access.NAMES: ROLES[1:],
    Access.VIEWER: ROLES[1:],
    Access.UPLOADER: ROLES[2:],
    Access.ADMIN: ROLES[3:],
}


def declared() -> dict[tuple[str, str], DeclaredRoute]:
    routed = (route for route in bare_app().routes if isinstance(route, DeclaredRoute))
    return {(route.method, route.path): route for route in routed}


def test_every_route_has_a_line() -> None:
    assert sorted(declared()) == sorted((line.method, line.path) for line in LINES)


def test_every_route_declares_its_access() -> None:
    assert [route for route in bare_app().routes if declared_by(route) is None] == []
    assert len({topic.name for topic in routes.ALL}) == len(routes.ALL)


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.method} {line.path}")
def test_the_line_fits_the_declared_access(line: Line) -> None:
    passes = [role for role, status in zip(ROLES, line.statuses, strict=True) if status not in (401, 403)]
    assert passes == [*ALLOWED[declared()[line.method, line.path].declared.access]]


def test_each_role_gets_what_the_table_says(api: Api) -> None:
    got = {}
    for line in LINES:
        asked = [
            api.request(line.method, line.asked or line.path, role=role, json_body=line.body).status for role in ROLES
        ]
        got[line.method, line.path] = tuple(asked)
    assert got == {(line.method, line.path): line.statuses for line in LINES}
