"""An installation whose database is reached by way of a proxy that breaks connections."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from tests.integration.world import World
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy


class AskedOften(World):
    """Looks at its database over one connection that stays, since these tests look some thousand times."""

    _looking: psycopg.Connection[DictRow] | None = None

    def query(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        if self._looking is None or self._looking.closed:
            self._looking = psycopg.connect(self.conninfo, autocommit=True, row_factory=dict_row)
        cursor = self._looking.execute(sql.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Closes its connections."""
        self.client.close()
        if self._looking is not None:
            self._looking.close()


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    """A migrated database and an empty storage folder; reached without the proxy."""
    with closing(AskedOften(database, tmp_path)) as made:
        yield made


@pytest.fixture
def proxy(postgres: PostgresServer, world: World) -> Iterator[FaultProxy]:
    """Before the session's Postgres."""
    with FaultProxy(postgres.port) as proxy:
        yield proxy
