"""Findings about a file while it is read: problems, and counts of the records left out or added up."""

from collections import Counter

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected

PROBLEMS_KEPT = 20
PROBLEMS_LIMIT = 1000
"""More problems than this end the reading."""


class Findings:
    """Shared by an archive and its members.

    Attributes:
        skipped: how many records and cells are no rows, by the reason.
        added: how many records were added to another one of the same name, by the reason.
        recognised: the name of the format, once it is known.
    """

    def __init__(self, filename: str) -> None:
        self.skipped: Counter[str] = Counter()
        self.added: Counter[str] = Counter()
        self.recognised: str | None = None
        self._filename = filename
        self._problems: list[Problem] = []
        self._more = 0

    def problem(self, problem: Problem) -> None:
        """Notes a problem. After the last row the file is refused with the first ones.

        Raises:
            Rejected: there are too many to read on.
        """
        if len(self._problems) < PROBLEMS_KEPT:
            self._problems.append(problem)
        else:
            self._more += 1
        if self._more > PROBLEMS_LIMIT:
            self.raise_problems()

    def raise_problems(self) -> None:
        """Raises `Rejected` if problems were noted."""
        if self._problems:
            raise Rejected(Reason.INVALID_FORMAT, self._filename, self._problems, self._more)
