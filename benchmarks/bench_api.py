"""The HTTP API: uploads, lists in a table of a million jobs, every route while 20 look on, memory under many uploads.

`PARTS` (uploads lists memory) says what is measured:

- uploads: `FILES` (500) small ones, by one client and by eight, as forms to the API and to a bare FastAPI route that
  does nothing with them, and by `submit` from one process. Postgres has its default settings.
- lists: `JOBS` (1,000,000) with as many runs, and a twentieth of so many datasets. Each list `SAMPLES` (300) times by
  one client, in turns with the SQL of the same page alone. Then every route by `CLIENTS` (20) at once for `SECONDS`
  (120), each of whom rests for `PAUSE` (0.5) seconds on average between two requests; `CLAIMS` (500) claims of one job
  by a controller before that, and as many as there is time for beside it.
- memory: `UPLOADS` (200) of `UPLOAD_MIB` (50) at once, and the resident memory of the API over that before.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

from app.countries import iso_countries
from benchmarks import api_lists, api_uploads
from benchmarks.bench_load import AS_IT_COMES
from benchmarks.report import Figure, report
from dataset_jobs import migrations
from services.client import Client
from services.keys import Keys, Role
from tests.kit import many_jobs
from tests.servers.postgres import PostgresServer

FILES = int(os.environ.get("FILES") or 500)
JOBS = int(os.environ.get("JOBS") or 1_000_000)
SAMPLES = int(os.environ.get("SAMPLES") or 300)
CLAIMS = int(os.environ.get("CLAIMS") or 500)
UPLOADS = int(os.environ.get("UPLOADS") or 200)
UPLOAD_MIB = int(os.environ.get("UPLOAD_MIB") or 50)
BROWSING = api_lists.Browsing(
    int(os.environ.get("CLIENTS") or 20), float(os.environ.get("PAUSE") or 0.5), float(os.environ.get("SECONDS") or 120)
)
PARTS = (os.environ.get("PARTS") or "uploads lists memory").split()


def database(server: PostgresServer, name: str, sql: str = "") -> tuple[str, str]:
    """A migrated database, filled by SQL, and the key of an admin."""
    conninfo = server.create_database(name)
    migrations.apply(conninfo, iso_countries())
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if sql:
            connection.execute(sql.encode())
            connection.execute("update pools set max_running = 100000")
            connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")
    with Client.connect(conninfo) as client:
        return conninfo, Keys(client.database).make("bench", Role.ADMIN).text


def uploads(server: PostgresServer, folder: Path) -> list[Figure]:
    """Of small files."""
    conninfo, key = database(server, "uploads")
    return asyncio.run(api_uploads.speeds(conninfo, key, folder, FILES))


def lists(server: PostgresServer, folder: Path) -> list[Figure]:
    """And every route, and claims beside them."""
    conninfo, key = database(server, "lists", many_jobs.fill(JOBS, JOBS // 20))
    return api_lists.times(conninfo, key, folder, SAMPLES, CLAIMS, BROWSING)


def memory(server: PostgresServer, folder: Path) -> list[Figure]:
    """Of the API under many large uploads."""
    conninfo, key = database(server, "memory")
    return asyncio.run(api_uploads.memory(conninfo, key, folder, UPLOADS, UPLOAD_MIB))


def main() -> None:
    """Measures and reports."""
    parts: dict[str, Callable[[PostgresServer, Path], list[Figure]]] = {
        "uploads": uploads,
        "lists": lists,
        "memory": memory,
    }
    figures = []
    with PostgresServer(settings=AS_IT_COMES, on_disk=True) as server:
        for name, part in parts.items():
            if name in PARTS:
                with tempfile.TemporaryDirectory(prefix="affirm-bench-") as folder:
                    figures += part(server, Path(folder))
    report("api", figures)


if __name__ == "__main__":
    main()
