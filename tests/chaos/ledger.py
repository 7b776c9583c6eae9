"""What was done to the installation, and what follows from it for each run: which ends are justified."""

import logging
import threading
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from uuid import UUID

from dataset_jobs.model.causes import Cause, CountsAs
from dataset_jobs.model.keys import RunKey


@dataclass(slots=True)
class Figures:
    """The line at the end; everything but the first two must be 0.

    Args:
        runs: tries at a job that were claimed.
        faults: what was done to them, to controllers and to clients.
        lost: datasets without their rows, or with only some, although nothing justifies it.
        duplicated: datasets with rows too many, jobs that were committed twice.
        cap_violations: samples that found more runs than the maximum, or a live pod whose run was released.
        stuck: jobs that did not end, and runs that did not free their slots.
        wrongly_rejected: runs that rejected a good file.
        wrongly_failed: jobs that failed although their faults do not add up to it.
        wrongly_retried: runs that ended for another reason than any of their faults, rejected files tried again.
    """

    runs: int = 0
    faults: int = 0
    lost: int = 0
    duplicated: int = 0
    cap_violations: int = 0
    stuck: int = 0
    wrongly_rejected: int = 0
    wrongly_failed: int = 0
    wrongly_retried: int = 0

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(mine + its for mine, its in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    @property
    def good(self) -> bool:
        """Nothing was found."""
        return not any(value for name, value in asdict(self).items() if name not in ("runs", "faults"))


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
        """A run may end so because of what was done to all of them."""
        with self._lock:
            self._allowed[key].update(excuses)

    def find(self, what: str) -> None:
        """Something is wrong."""
        with self._lock:
            if len(self.findings) < 200:
                self.findings.append(what)

    def history(self, key: RunKey) -> str:
        """What was done to a run, in order."""
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
        secrets: the password, and what stands in a rejected line.
    """

    def __init__(self, ledger: Ledger, *secrets: str) -> None:
        super().__init__()
        self._ledger = ledger
        self._secrets = secrets

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if any(secret in text for secret in self._secrets):
            self._ledger.find(f"a log line holds what it must not: {record.name}, level {record.levelname}")
