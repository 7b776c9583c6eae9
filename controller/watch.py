"""Whether the watch over the cluster is alive: a part of what /healthz answers."""

from typing import Protocol

from controller.loop_health import LoopHealth
from dataset_jobs.model.trouble import Trouble

WATCH_SILENT_SECONDS = 60.0


class Watched(Protocol):
    """What is asked of the watcher (`controller.operator.Watcher`)."""

    last_event: float

    @property
    def trouble(self) -> Trouble | None:
        """The error that ends the watch again and again."""
        ...

    def alive(self) -> bool:
        """Whether its thread runs."""
        ...


class Watch:
    """Tells whether the watch over the cluster is alive; it is if there is none to keep.

    It can end silently inside kopf: then the controller settles runs whose end it never reported.
    """

    def __init__(self, progress: LoopHealth) -> None:
        self.watcher: Watched | None = None
        self._progress = progress

    @property
    def trouble(self) -> Trouble | None:
        """The error that ends the watch again and again; None without one."""
        return None if self.watcher is None else self.watcher.trouble

    def alive(self) -> bool:
        """Whether events still come."""
        if self.watcher is None:
            return True
        silent = self._progress.last_settle - self.watcher.last_event
        return self.watcher.alive() and silent < WATCH_SILENT_SECONDS
