"""The server with its pages, and visitors who have logged in."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.api.client import Api
from tests.api.conftest import api, no_undeclared_problem
from tests.dashboard.browser import Tab, chromium, tab
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


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser of all tests."""
    with chromium() as made:
        yield made


@pytest.fixture
def screen(browser: Browser, api: Api) -> Iterator[Tab]:
    """A tab of an admin; at its end the browser must have complained of nothing."""
    with tab(browser, api) as made:
        made.log_in()
        yield made
