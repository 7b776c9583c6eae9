"""Runners that wait for each other's locks: which of these waits are a fault."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from dataset_jobs.model.keys import RunKey

LASTING_SECONDS = 5.0
"""Of real time. No statement that a runner waits for within its own run takes so long, on a busy machine either: twins
that take their run at once were seen to wait for 2 to 18 ms. A load gives up waiting for a lock after 30 s, and a
silent runner loses its locks after 60 s: a wait that only these limits would end is seen."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A session of a runner waits for a lock of another session of a runner.

    Args:
        waiting, holding: application names of the two, which name their runs.
        statement, holders_statement: how their present, or last, statements begin.
        seconds: for how long, of real time.
    """

    waiting: str
    holding: str
    statement: str
    holders_statement: str
    seconds: float

    def __str__(self) -> str:
        statement, held_by = self.statement.splitlines()[0], self.holders_statement.splitlines()[0]
        return f"{self.waiting} waits for {self.holding} ({statement} for {held_by}, {self.seconds:.3f} s)"


def stuck(waits: Iterable[Wait], standing: Container[RunKey]) -> Iterator[str]:
    """The waits that must not be, in words.

    Another run is waited for never: whoever takes a run has ended before what other runs of its dataset left, and no
    two datasets of the chaos count for the same. Within a run it takes a moment until one session is done: two pods
    take it at once and the second one waits to be refused, or a runner reports while its last session still ends. That
    must not last, unless we have made one of the run's runners stand still with its locks.

    Args:
        standing: the runs of which a runner stands still.
    """
    for wait in waits:
        within = wait.waiting == wait.holding
        if not within or (wait.seconds > LASTING_SECONDS and _run_of(wait.holding) not in standing):
            yield str(wait)


def _run_of(application_name: str) -> RunKey:
    _, job_id, epoch = application_name.split()
    return RunKey(UUID(job_id), int(epoch))
