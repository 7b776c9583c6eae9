"""All requests to an installation. The command line makes a client for each command, an API one for itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Self
from uuid import UUID

from dataset_jobs.model.actor import Actor
from dataset_jobs.postgres.timeouts import ANSWER_TIMEOUT, TimeoutConnection
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import ClientConnection, ClientDatabase, Row, When, refuse_too_new
from dataset_jobs.store.views import JobView, Status
from services.audit import Audit
from services.countries import Countries
from services.dataset_maker import SubmitResult, find_country
from services.datasets import Datasets
from services.explain import Explanation, explanation
from services.failures import Failures, read_failures
from services.figures import PoolHistory, pool_history
from services.filters import JobFilter
from services.glance import Glance, glance
from services.jobs import Jobs
from services.keys import Keys, Role
from services.operations import Operations
from services.pools import Pools
from services.problems import LATELY, Overview, Problem, problems
from services.refusals import refusals
from services.schedules import Schedules
from services.schema import usable_schema
from services.status import Obstacle, read_status, unserved
from services.story import Story, story
from services.submission import Submission
from services.submit import FileOptions, SubmittedFile, submit_checked, submit_file, submit_files
from services.waiting import Waiting
from services.waiting_jobs import reporting_controllers, surroundings, why_waiting
from services.web_sessions import WebSessions


class Client:
    """The use cases over one database. As many threads can use it as can use the database.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self.database = database
        self.jobs = Jobs(database)
        self.datasets = Datasets(database)
        self.pools = Pools(database)
        self.schedules = Schedules(database)
        self.countries = Countries(database)
        self.keys = Keys(database)
        self.web_sessions = WebSessions(database)
        self.audit = Audit(database)
        self.operations = Operations(database)

    @classmethod
    def connect(
        cls,
        conninfo: str,
        patience: timedelta = ANSWER_TIMEOUT,
        connection_class: type[TimeoutConnection[Row]] = TimeoutConnection[Row],
        actor: Actor | None = None,
        *,
        refusing: bool = False,
    ) -> Self:
        """A client with one connection, for one thread at a time; it connects at the first use.

        Args:
            conninfo: libpq connection string or URI; may be a transaction-mode pooler's.
            patience: how long one answer may take.
            connection_class: see `ClientConnection`.
            actor: who acts, for the audit; the user of this process if None.
            refusing: raise `OtherSchema` where the database is newer than this program and does not let it work.
        """
        first = refuse_too_new if refusing else None
        return cls(ClientConnection(conninfo, patience, connection_class, actor, first))

    def acting_as(self, actor: Actor) -> Self:
        """The same client for another actor, such as that of one request: light, and there is nothing to close."""
        return type(self)(self.database.acting_as(actor))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database's connections."""
        self.database.close()

    def country(self, given: str) -> str:
        """The ISO code of a country that is given by its code, also in small letters, or by its id.

        Raises:
            InvalidRequest: there is none; with suggestions.
        """
        return find_country(self.database, given)[1]

    def submit_files(self, storage: Storage, paths: Iterable[Path], options: FileOptions) -> list[SubmittedFile]:
        """Submits files one after the other; see `services.submit.submit_files`."""
        return submit_files(self.database, storage, paths, options)

    def submit_file(self, storage: Storage, path: Path, options: FileOptions) -> SubmittedFile:
        """Submits one file. An error of the request becomes a refusal; any other error is raised."""
        return submit_file(self.database, storage, path, options)

    def submit_checked(
        self, storage: Storage, submission: Submission, source: Callable[[], BinaryIO], options: FileOptions
    ) -> SubmitResult:
        """Submits a file that is read and checked already; see `services.submit.submit_checked`."""
        return submit_checked(self.database, storage, submission, source, options)

    def now(self) -> datetime:
        """The time by the database's clock, as all times of an installation are."""
        return self.database.now()

    def status(self) -> Status:
        """The status of the whole installation."""
        return read_status(self.database)

    def unserved(self, pool: str | None = None) -> Obstacle | None:
        """What keeps new jobs of a pool, or of all pools, from being claimed; None if a controller is there."""
        return unserved(reporting_controllers(self.database), pool)

    def explain(self, job_id: UUID) -> Explanation:
        """A job explained; raises NotFound."""
        job, runs = self.jobs.get(job_id)
        now, around = self.now(), surroundings(self.database, [job.pool])
        dataset, refused = self.datasets.get(job.dataset_id), refusals(self.database, job)
        told = explanation(job, runs, around, now, dataset, refused)
        return replace(told, waiting=why_waiting(self.database, [job], around, now).get(job.id))

    def story(self, job_id: UUID) -> Story:
        """A job's story in words; raises NotFound."""
        return story(self.explain(job_id))

    def overview(self) -> Overview:
        """The whole installation now, and what is wrong with it."""
        status, now = self.status(), self.now()
        return Overview(status, now, self.problems(status, now))

    def glance(self, limit: int, which: JobFilter | None = None) -> Glance:
        """All that one look shows; see `services.glance.glance`."""
        return glance(self.database, limit, which)

    def history(self, pool: str, since: datetime, until: datetime, step: str) -> PoolHistory:
        """A pool's past; see `services.figures.pool_history`."""
        return pool_history(self.database, pool, since, until, step)

    def role(self) -> Role:
        """What the caller may do: all that their login of the database lets them."""
        return Role.ADMIN

    def failures(self, *, pool: str | None = None, country: str | None = None, since: When = None) -> Failures:
        """The failed jobs by cause and reason; see `services.failures.read_failures`."""
        return read_failures(self.database, pool=pool, country=country, since=since)

    def problems(self, status: Status, now: datetime) -> Sequence[Problem]:
        """What is wrong with the installation, the worst first.

        Args:
            status: that of `status`.
            now: by the database's clock.
        """
        return problems(status, now, read_failures(self.database, since=LATELY).groups)

    def waiting(self, jobs: Sequence[JobView], now: datetime | None = None) -> Mapping[UUID, Waiting]:
        """Why each of these jobs waits; those that do not are left out.

        Args:
            jobs: which ones.
            now: by the database's clock, if it is read already.
        """
        return why_waiting(self.database, jobs, now=now)

    def schema_version(self) -> int:
        """The newest migration that the database has; raises Misconfigured if it has none."""
        return int(self.database.only("session.schema_version")["version"])

    def check_schema(self) -> int:
        """As `schema_version`; raises OtherSchema if this program may not work on a database of that schema."""
        return usable_schema(self.database)
