"""SIGTERM, SIGINT and a closed terminal stop the controller; the log answers each of them."""

import asyncio
import logging
import signal
from datetime import timedelta

from controller.background.waiting import Tell
from controller.launchers.interface import Launcher, Phase
from dataset_jobs.model.keys import RUN_LEASE

_log = logging.getLogger(__name__)


class Signals:
    """The first signal asks the controller to stop, the second to hurry.

    Args:
        wake: set at each of them, so that the loop looks up.
        grace: how long children may go on after the first one.
        tell: takes the answers if the log is quiet.
    """

    def __init__(self, wake: asyncio.Event, grace: timedelta, tell: Tell | None = None) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self.launcher: Launcher | None = None
        """Set once there is one: it knows the runs at work."""
        self._wake = wake
        self._grace = grace
        self._tell = tell
        self._saying: set[asyncio.Task[None]] = set()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_IGN:  # nohup
                continue
            asyncio.get_running_loop().add_signal_handler(number, self._received, number)

    def _received(self, number: signal.Signals) -> None:
        if self.hurry.is_set():
            return
        # Not after the tick under way, which may be waiting for a slow database.
        saying = asyncio.create_task(self._say(number, again=self.stop.is_set()))
        self._saying.add(saying)
        saying.add_done_callback(self._saying.discard)
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()
        self._wake.set()

    async def _say(self, number: signal.Signals, *, again: bool) -> None:
        by = {"signal": number.name}
        if self.launcher is None:
            _log.info("stopping", extra=by)
        elif self.launcher.outlives_controller:
            if not again:
                _log.info("stopping: runs in the cluster go on, and the next controller takes them over", extra=by)
        else:
            at_work = sum(seen.phase is not Phase.ENDED for seen in await self.launcher.list_all())
            says = hurrying(at_work) if again else stopping(at_work, self._grace, number)
            _log.info("%s", says, extra=by)
            if self._tell is not None and not _log.isEnabledFor(logging.INFO):
                self._tell([says])


def stopping(at_work: int, grace: timedelta, number: signal.Signals) -> str:
    """The answer to the first signal, if the runs are children.

    Args:
        at_work: how many runs there are.
        grace: how long they may go on.
        number: the signal; after Ctrl-C, the answer describes a second one too.
    """
    if not at_work:
        return "stopping: no run is at work"
    if not grace:
        return f"stopping: {_runs(at_work)} told to end; {_jobs(at_work)} queued again, and no attempt is used"
    again = f"; Ctrl-C again kills {'it' if at_work == 1 else 'them'}" if number == signal.SIGINT else ""
    return f"stopping: {at_work} run{'' if at_work == 1 else 's'} may finish, up to {_span(grace)}{again}"


def hurrying(at_work: int) -> str:
    """The answer to the second signal, if the runs are children."""
    if not at_work:
        return "stopping now"
    return (
        f"stopping now: {_runs(at_work)} killed; the next controller queues {_jobs(at_work, verb=False)} again, at the"
        f" latest after {_span(RUN_LEASE)}; no attempt is used"
    )


def _span(time: timedelta) -> str:
    seconds = time.total_seconds()
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


def _runs(count: int) -> str:
    return "1 run is" if count == 1 else f"{count} runs are"


def _jobs(count: int, *, verb: bool = True) -> str:
    jobs = "its job" if count == 1 else "their jobs"
    return f"{jobs} {'is' if count == 1 else 'are'}" if verb else jobs
