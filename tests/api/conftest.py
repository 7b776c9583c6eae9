"""A running API over a real database and storage."""

from collections.abc import Iterator

import pytest

from tests.api.client import Api, running
from tests.integration.conftest import world
from tests.integration.world import World

__all__ = ["world"]


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    """The API with the default settings, and a key of each role."""
    with running(world) as made:
        yield made


@pytest.fixture(autouse=True)
def no_undeclared_problem(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No route answers with a problem that it has not declared, nor with a fault of the program."""
    yield
    ours = ("api.middleware.envelope", "api.problem_answers")
    assert [one.getMessage() for one in caplog.get_records("call") if one.name in ours] == []
