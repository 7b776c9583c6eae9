"""Keeps every fault of an installation, and which ends of each run these justify."""

import logging
import threading
from collections import Counter, defaultdict
from uuid import UUID

from dataset_jobs.model.causes import Cause, CountsAs
from dataset_jobs.model.keys import RunKey


class Ledger:
    """Told of every fault, from any thread."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.cancelled: set[UUID] = set()
        """Jobs of which somebody has asked for a cancel."""
        self.findings: list[str] = []
        """What was seen that must not be, in words."""
        self._allowed: defaultdict[RunKey, set[CountsAs]] = defaultdict(set)
        self._history: defaultdict[RunKey, list[str]] = defaultdict(list)
        self._lock = threading.Lock()

    def fault(self, kind: str) -> None:
        """Something was done that leaves no run an excuse."""
        with self._lock:
            self.faults[kind] += 1

    def hit(self, key: RunKey, kind: str, *excuses: CountsAs) -> None:
        """Something was done to a run, which may end in one of these ways because of it."""
        with self._lock:
            self.faults[kind] += 1
            self._allowed[key].update(excuses)
            self._history[key].append(kind)

    def excuse(self, key: RunKey, *excuses: CountsAs) -> None:
        """A run may end so because of something done to all of them."""
        with self._lock:
            self._allowed[key].update(excuses)

    def find(self, what: str) -> None:
        """Something is wrong."""
        with self._lock:
            if len(self.findings) < 200:
                self.findings.append(what)

    def history(self, key: RunKey) -> str:
        """The faults of a run, in order."""
        return ", ".join(self._history[key]) or "nothing was done to it"

    def justifies(self, key: RunKey, cause: Cause) -> bool:
        """Whether a run may have ended so."""
        if cause is Cause.COMPLETED:
            return True
        if cause is Cause.CANCELLED:
            return key.job_id in self.cancelled
        return cause.counts_as in self._allowed[key]


class NothingSecret(logging.Handler):
    """Listens to every log line for what must not be in one.

    Args:
        secrets: the password, and the text of a rejected line.
    """

    def __init__(self, ledger: Ledger, *secrets: str) -> None:
        super().__init__()
        self._ledger = ledger
        self._secrets = secrets

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if any(secret in text for secret in self._secrets):
            self._ledger.find(f"a log line holds what it must not: {record.name}, level {record.levelname}")
