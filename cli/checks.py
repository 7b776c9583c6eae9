"""The checks of `affirm-worker doctor`: what each looks at, and which others it needs."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from app.embedded import embedded_postgres
from app.file_storage import storage_config
from app.logs import set_up_logs
from app.places import database_of
from app.settings import Reading, Settings, read
from app.settings.reading import Source
from cli.options import context as context_option
from dataset_jobs.host import temporary_folder
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.postgres import tls
from dataset_jobs.store.client_connection import ClientConnection
from services.checks.checkup import SECONDS, Check
from services.checks.database import PATIENCE, Expected, check_direct, check_schema, check_server
from services.checks.descriptions import check_descriptions
from services.checks.findings import Finding, Fix, ok, warning, wrong
from services.checks.machine import check_memory, check_space
from services.checks.queue import check_controllers, check_queue
from services.checks.rights import check_rights
from services.checks.runner_login import check_logins, check_runner_login
from services.checks.storage import check_storage
from services.status import read_status

NAMES = (
    "settings", "database", "schema", "rights", "logins", "runner", "storage", "cluster", "parsers", "descriptions",
    "space", "machine", "controllers", "queue",
)  # fmt: skip
"""Of the checks, in their order."""

EMBEDDED_SECONDS = 60.0
"""How long the embedded Postgres may take to start, the first time too."""

RUNNER_CONNECTIONS = 2
"""Of a run that takes longer than a second."""


@dataclass(slots=True)
class Patient:
    """The installation that is looked at. A check leaves here what later ones need.

    Args:
        cluster: look at a cluster, even if no setting asks for one.
        open: closes the embedded database at the end.
    """

    cluster: bool
    open: ExitStack
    settings: Settings = field(init=False)
    conninfo: str = ""
    expected: Expected = field(init=False)

    def checks(self) -> list[Check]:
        """All checks, in their order."""
        return [
            Check("settings", self._settings),
            Check("database", self._database, ("settings",), self._database_seconds),
            Check("schema", self._schema, ("database",)),
            Check("rights", self._rights, ("schema",)),
            Check("logins", self._logins, ("schema",)),
            Check("runner", self._runner, ("schema",)),
            Check("storage", self._storage, ("settings",)),
            Check("cluster", self._cluster, ("settings",)),
            Check("parsers", _parsers),
            Check("descriptions", self._descriptions, ("schema",)),
            Check("space", self._space, ("settings",)),
            Check("machine", self._machine, ("settings",)),
            Check("controllers", self._controllers, ("schema",)),
            Check("queue", self._queue, ("schema",)),
        ]

    def _settings(self) -> list[Finding]:
        reading = read(context_option.chosen())
        self.settings = reading.settings
        set_up_logs(reading.settings)
        found = [wrong(problem, *_unset(name, reading)) for name, problem in reading.problems.items()]
        found += [warning(doubt.text) for doubt in reading.doubts]
        if not reading.problems:
            given = [name.upper() for name, origin in reading.origins.items() if origin.source is not Source.DEFAULT]
            context = f", context {reading.context.name}" if reading.context else ""
            found.append(ok(f"all settings are valid; set: {', '.join(sorted(given)) or 'none'}{context}"))
        return found

    def _database(self) -> list[Finding]:
        settings = self.settings
        embedded = settings.database_url is None
        if settings.database_url is not None:
            conninfo, place = settings.database_url, database_of(settings.database_url)[0]
        else:
            conninfo = self.open.enter_context(embedded_postgres(settings.home))
            place = f"{settings.home / 'postgres'} (embedded)"
        self.conninfo = settings.in_schema(conninfo)
        runners = RUNNER_CONNECTIONS * self._runs_here()
        self.expected = Expected(
            settings.database_schema,
            settings.database_max_connections + 1 + runners,
            runners,
            embedded,
            settings.database_direct_url is not None,
        )
        with self._connected() as database:
            found = check_server(database, self.expected, place)
            if settings.database_url is not None and (doubt := tls.doubt(settings.database_url)):
                found.append(warning(doubt, Fix(shell="export PGSSLROOTCERT=…", by="with the path of the CA's file")))
            if settings.database_direct_url is not None:
                with ClientConnection(settings.in_schema(settings.database_direct_url), PATIENCE) as direct:
                    found += check_direct(direct, database)
            return found

    def _database_seconds(self) -> float:
        return SECONDS if self.settings.database_url is not None else EMBEDDED_SECONDS

    def _schema(self) -> list[Finding]:
        with self._connected() as database:
            return check_schema(database, self.expected)

    def _rights(self) -> list[Finding]:
        with self._connected() as database:
            return check_rights(database, self.expected.schema)

    def _logins(self) -> list[Finding]:
        url = self.settings.runner_database_url
        runner = None if url is None else database_of(url)[1] or "another role"
        with self._connected() as database:
            return check_logins(database, self.expected, runner)

    def _runner(self) -> list[Finding]:
        url = self.settings.runner_database_url
        if url is None:
            return [ok("runners log in as DATABASE_URL says (RUNNER_DATABASE_URL is not set)")]
        login = ClientConnection(self.settings.in_schema(url), PATIENCE)
        with self._connected() as database:
            return check_runner_login(login, database, self.expected, database_of(url)[1])

    def _storage(self) -> list[Finding]:
        return check_storage(storage_config(self.settings))

    def _cluster(self) -> list[Finding]:
        if not self.cluster and self.settings.runner_config is None:
            return []
        # Half a second, which one machine need not pay.
        from controller.launchers.kubernetes.api import load_configuration
        from controller.launchers.kubernetes.inspection import KubernetesInspection
        from controller.runner_config import read_runner_config

        path = self.settings.runner_config
        template = None if path is None else read_runner_config(path)

        async def look() -> list[Finding]:
            from controller.check_cluster import check_cluster

            try:
                configuration = await load_configuration()
            except Misconfigured as error:
                return [wrong(str(error), Fix(shell="export KUBECONFIG=…", by="with the path of a kubeconfig"))]
            inspection = KubernetesInspection(configuration, self.settings.namespace, 8)
            try:
                return await check_cluster(inspection, template, self.settings.limits)
            finally:
                await inspection.close()

        return asyncio.run(look())

    def _space(self) -> list[Finding]:
        folders = {"temporary files in": temporary_folder()}
        if self.settings.database_url is None:
            folders["the embedded Postgres in"] = self.settings.home
        if (path := self.settings.storage.path) is not None:
            folders["stored files in"] = path
        return check_space(folders, self.settings.limits)

    def _machine(self) -> list[Finding]:
        return check_memory(self._runs_here(), self.settings.limits)

    def _descriptions(self) -> list[Finding]:
        with self._connected() as database:
            return check_descriptions(database)

    def _controllers(self) -> list[Finding]:
        with self._connected() as database:
            now = database.now()
            return check_controllers(read_status(database), now)

    def _queue(self) -> list[Finding]:
        with self._connected() as database:
            return check_queue(read_status(database))

    def _runs_here(self) -> int:
        """Runs at once on this machine; none if they have pods."""
        return self.settings.worker_concurrency if self.settings.runner_config is None else 0

    @contextmanager
    def _connected(self) -> Iterator[ClientConnection]:
        """A connection of its own for each check: they run at the same time."""
        with ClientConnection(self.conninfo, PATIENCE) as database:
            yield database


def _unset(name: str, reading: Reading) -> tuple[Fix, ...]:
    """How to have a setting's default instead of a wrong value of the environment."""
    origin = reading.origins.get(name)
    if origin is None or origin.source is not Source.ENVIRONMENT:
        return ()
    return (Fix(shell=f"unset {name.upper()}", by="to have the default"),)


def _parsers() -> list[Finding]:
    """Whether all parsers can be imported, those of other packages too."""
    from parser_runner.parsers import countries, further_parsers_of, parsers_of

    built_in, further, found = 0, 0, list[Finding]()
    for country in countries():
        built_in += len(parsers_of(country))
        packages = further_parsers_of(country)
        further += len(packages.parsers)
        found += [warning(f"{broken}: files that only it knows wait until it is fixed") for broken in packages.broken]
    said = f"{built_in} formats" + (f", and {further} of other packages" if further else "")
    return [*found, ok(f"{said} can be read")]
