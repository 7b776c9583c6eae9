"""A launcher whose runs are over when `launch` returns: the real parser-runner, in a thread of this process."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg

from controller.launchers.interface import Launch
from controller.loop import Reconciler
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Evidence
from dataset_jobs.storage import StorageConfig
from dataset_jobs.store.runner import Runner
from parser_runner.file_parser import FileParser, FileToParse, Parsing
from parser_runner.run import RunnerContext, run
from tests.fakes.launcher import FakeLauncher
from tests.integration.world import World


class _InThread(RunnerContext):
    """Parses in this process: hundreds of runs start no process each."""

    @contextmanager
    def parsing(self, asked: FileToParse, go_on: Callable[[], None]) -> Iterator[Parsing]:
        with closing(FileParser(asked)) as parser:
            yield parser


class InlineLauncher(FakeLauncher):
    """Its runs end as pods do: with an exit code and a termination message.

    Args:
        storage: where the files are.
        conninfo: what runners connect to.
        patience: of the runners, for an answer.
    """

    def __init__(self, storage: StorageConfig, conninfo: str, patience: timedelta = timedelta(seconds=60)) -> None:
        super().__init__()
        self.outcomes: dict[RunKey, Outcome] = {}
        self.broken: dict[RunKey, str] = {}
        """What the runners of these runs connect to instead."""
        self.held = False
        """Launch, and let the runs go on until they are ended."""
        self._storage = storage
        self._conninfo = conninfo
        self._patience = patience

    async def launch(self, launch: Launch) -> str:
        known = launch.key in self._runs
        name = await super().launch(launch)
        if not known and not self.held:
            outcome = await asyncio.to_thread(self._run, launch.key, launch.secret)
            self.end_as(launch.key, outcome)
        return name

    def end_as(self, key: RunKey, outcome: Outcome) -> None:
        """The run is over, and its runner has said this."""
        self.outcomes[key] = outcome
        message = outcome.to_message()
        self.end(key, Evidence(exit_code=outcome.exit_code, message=message, container_started=True))

    def _run(self, key: RunKey, secret: str) -> Outcome:
        conninfo = self.broken.get(key, self._conninfo)
        runner = Runner(f"pod-of-{key}", secret=secret)
        waits = (0.01, 0.01)
        context = _InThread(
            key, runner, conninfo, self._storage, take_waits=waits, patience=self._patience, fetch_waits=waits
        )
        try:
            return run(context)
        except RunError as error:
            return Outcome.of_error(error)
        except Exception as error:
            return Outcome(Cause.CRASHED, error=repr(error))


UNFINISHED = """select 1 from jobs where finished_at is null
    union all select 1 from runs where released_at is null"""


async def until_idle(world: World, reconciler: Reconciler, seconds: float = 100) -> None:
    """Ticks, without a pause, until nothing is left to do; a tick that is broken off is repeated."""
    async with asyncio.timeout(seconds):
        while _unfinished(world):
            await reconciler.tick_safely()


def _unfinished(world: World) -> bool:
    try:
        return bool(world.query(UNFINISHED))
    except psycopg.OperationalError:
        return True  # it is away just now
