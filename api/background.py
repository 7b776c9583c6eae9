"""The API's work beside its answers: it carries operations on, and does the looks of schedules that somebody asked for.

Operations are in the database. Any process carries them on, and one that dies leaves them to the others.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.stopping import Stopping
from dataset_jobs.model.errors import RunError
from dataset_jobs.storage import Storage
from services.client import Client

POLL_SECONDS = 5.0
"""How often it looks for operations that nobody carries on, such as those of a process that has died."""

MOST_LOOKS = 8
"""So many looks of schedules are done at one time."""

_log = logging.getLogger(__name__)


class Background:
    """Work beside the answers, in threads. It ends by itself between two batches.

    Args:
        client: the use cases; as many threads can use it as come.
        storage: has the files.
        stopping: set when the server ends.
    """

    def __init__(self, client: Client, storage: Storage, stopping: Stopping) -> None:
        self._client = client
        self._storage = storage
        self._stopping = stopping
        self._wake = threading.Event()
        self._over = False
        self._looks = threading.BoundedSemaphore(MOST_LOOKS)

    def wake(self) -> None:
        """There is an operation to carry on, or the server ends."""
        self._wake.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Carries operations on for as long as the block runs; a batch that is at work then is finished."""
        thread = threading.Thread(target=self._carry_on, name="operations")
        thread.start()
        try:
            yield
        finally:
            self._over = True  # a server may also end by itself
            self.wake()
            thread.join()

    def look(self, name: str, work: Callable[[Callable[[], bool]], object]) -> bool:
        """Does a look of a schedule in a thread; False if too many are being done.

        Args:
            name: of the schedule.
            work: does it; gets whether it is to stop.
        """
        if not self._looks.acquire(blocking=False):
            return False
        # Nobody waits for it at the end: what it has not committed, its lease gives to others.
        threading.Thread(target=self._look, args=(name, work), name=f"schedule {name}", daemon=True).start()
        return True

    def _look(self, name: str, work: Callable[[Callable[[], bool]], object]) -> None:
        try:
            work(lambda: self._stopping.is_set)
        except RunError as error:
            _log.warning("schedule %s: %s", name, error)  # the schedule says so, too
        except Exception:
            _log.exception("schedule %s", name)
        finally:
            self._looks.release()

    def _carry_on(self) -> None:
        while not self._ends():
            self._wake.clear()
            try:
                ended = self._client.operations.work(self._storage, self._ends)
            except RunError as error:
                _log.warning("operations: %s", error)
                ended = 0
            except Exception:
                # One operation must not keep the others from being carried on by this process for ever.
                _log.exception("operations")
                ended = 0
            if not ended and not self._ends():
                self._wake.wait(POLL_SECONDS)

    def _ends(self) -> bool:
        return self._over or self._stopping.is_set
