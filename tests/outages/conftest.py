"""An installation whose database is reached by way of a proxy that breaks connections."""

from collections.abc import Iterator

import pytest

from tests.integration.conftest import world
from tests.integration.world import World
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy

__all__ = ["world"]


@pytest.fixture
def proxy(postgres: PostgresServer, world: World) -> Iterator[FaultProxy]:
    """Before the session's Postgres; `world` itself does not go through it."""
    with FaultProxy(postgres.port) as proxy:
        yield proxy
