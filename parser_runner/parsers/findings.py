"""What is found out about a file while it is read: its problems, and what was left out or added up, with counts."""

from collections import Counter

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected

PROBLEMS_KEPT = 20
PROBLEMS_LIMIT = 1000
"""After so many problems a file is not read on."""


class Findings:
    """Shared by an archive and its members.

    Attributes:
        skipped: records and cells that are no rows, counted by the reason.
        added: records whose count went to another record of the same name, counted by the reason.
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
        """Notes what is wrong; the file is refused in the end, with the first problems named.

        Raises:
            Rejected: at once, where there are too many to read on.
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
