"""Runs checks at the same time, each within a limit of time, and skips those that need one that failed."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.local_machine import machine_error
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.threads import start_thread
from services.checks.findings import Finding, Verdict, failed, skipped, worst, wrong

SECONDS = 10.0
"""How long a check may take."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        name: as users give it.
        look: returns its findings; may raise errors of the model.
        needs: the names of checks that must be neither wrong nor skipped.
        seconds: how long it may take; asked when its needs are there.
    """

    name: str
    look: Callable[[], Sequence[Finding]]
    needs: tuple[str, ...] = ()
    seconds: Callable[[], float] = lambda: SECONDS


@dataclass(frozen=True, slots=True)
class Checked:
    """A check and its findings."""

    name: str
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def is_usable(self) -> bool:
        """Whether a check that needs this one makes sense."""
        return self.verdict not in (Verdict.WRONG, Verdict.SKIPPED)


@dataclass(slots=True)
class _Running:
    """A check at work. `until` is set when its needs are there."""

    check: Check
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    seconds: float = 0.0
    until: float | None = None
    result: Checked | None = None

    def end(self, findings: Sequence[Finding]) -> None:
        """Sets its findings, unless it was given up before."""
        with self.lock:
            if self.result is None:
                self.result = Checked(self.check.name, worst(findings), tuple(findings))
                self.done.set()


def check_up(checks: Sequence[Check], names: Sequence[str] = ()) -> Iterator[Checked]:
    """Runs checks, and yields their results in the checks' order, each as soon as it is known.

    Args:
        checks: all there are; each stands after those that it needs.
        names: only these, and of those that they need the ones that are wrong; none for all.

    Raises:
        InvalidRequest: there is no check of a name.
    """
    known = [check.name for check in checks]
    if missing := [name for name in names if name not in known]:
        raise InvalidRequest(f"there is no check {missing[0]!r}: there are {', '.join(known)}")
    wanted = set(names or known)
    for check in reversed(checks):
        if check.name in wanted:
            wanted.update(check.needs)
    running = {check.name: _Running(check) for check in checks if check.name in wanted}
    for one in running.values():
        try:
            # No thread waits for it at the end: a check that hangs ends with the process.
            start_thread(threading.Thread(target=_work, args=(one, running), name=one.check.name, daemon=True))
        except RunError as error:
            one.end([failed(error)])
    for one in running.values():
        result = _result(one)
        if not names or one.check.name in names or result.verdict is Verdict.WRONG:
            yield result


def _work(one: _Running, running: dict[str, _Running]) -> None:
    for need in one.check.needs:
        if not (result := _result(running[need])).is_usable:
            one.end([skipped(f"needs {need}, which is {result.verdict}")])
            return
    one.seconds = one.check.seconds()
    one.until = time.monotonic() + one.seconds
    try:
        found = one.check.look()
    except RunError as error:
        found = [failed(error)]
    except (OSError, MemoryError) as error:
        found = [failed(machine_error(error, f"look at {one.check.name}"))]
    except Exception as error:
        found = [wrong(f"a fault of this program: {type(error).__name__} at {_place(error)}")]
    one.end(found)


def _result(one: _Running) -> Checked:
    """The result of a check; gives the check up when its time is over."""
    while not one.done.wait(0.05 if one.until is None else max(0.0, one.until - time.monotonic())):
        if one.until is not None and time.monotonic() >= one.until:
            said = f"no answer within {one.seconds:g} s: something in between may neither let through nor refuse"
            one.end([wrong(said)])
    assert one.result is not None
    return one.result


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    place = "an unknown place"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
