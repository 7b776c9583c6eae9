"""The server with its pages, and visitors who have logged in."""

from collections.abc import Callable

import pytest

from tests.api.client import Api
from tests.api.conftest import api, no_undeclared_problem
from tests.dashboard.visitor import Visitor
from tests.integration.conftest import world

__all__ = ["api", "no_undeclared_problem", "world"]


@pytest.fixture
def visit(api: Api) -> Callable[[str], Visitor]:
    """Logs somebody of a role in."""

    def come(role: str) -> Visitor:
        visitor = Visitor(api)
        visitor.log_in(api.keys[role])
        return visitor

    return come


@pytest.fixture
def admin(visit: Callable[[str], Visitor]) -> Visitor:
    """An admin who has logged in."""
    return visit("admin")
