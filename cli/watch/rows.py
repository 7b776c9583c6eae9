"""What one can choose on the screen, from top to bottom: problems, pools, jobs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dataset_jobs.store.views import JobView
from services.glance import Glance
from services.pool_lines import PoolLine, pool_lines
from services.problems import Problem


@dataclass(frozen=True, slots=True)
class Row:
    """A line that can be chosen.

    Args:
        id: the same as long as it is about the same.
    """

    id: str
    about: Problem | PoolLine | JobView


def problem_rows(glance: Glance) -> list[Row]:
    """What is wrong, the worst first."""
    return [Row(_id_of(one), one) for one in glance.problems]


def _id_of(problem: Problem) -> str:
    """The figures in its words change all the time."""
    return f"problem {problem.kind} {problem.pool} {re.sub('[0-9]+', '#', str(problem.text))}"


def pool_rows(glance: Glance) -> list[Row]:
    """The pools."""
    return [Row(f"pool {line.pool.name}", line) for line in pool_lines(glance.status.pools, glance.past)]


def running_rows(glance: Glance) -> list[Row]:
    """The jobs at work; none if others were asked for."""
    return [] if glance.found is not None else [Row(f"job {one.id}", one) for one in glance.recent.running]


def ended_rows(glance: Glance) -> list[Row]:
    """Those that ended last; none if others were asked for."""
    return [] if glance.found is not None else [Row(f"job {one.id}", one) for one in glance.recent.ended]


def found_rows(glance: Glance) -> list[Row]:
    """Those that were asked for."""
    return [] if glance.found is None else [Row(f"job {one.id}", one) for one in glance.found.jobs]


def all_rows(glance: Glance | None) -> Iterator[Row]:
    """All of them, in the order of the screen."""
    if glance is not None:
        seen: set[str] = set()
        for rows in (problem_rows, pool_rows, running_rows, ended_rows, found_rows):
            for row in rows(glance):
                if row.id not in seen:  # two problems may say the same but for their figures
                    seen.add(row.id)
                    yield row
