"""Findings about a file while it is read: problems, and counts of the records left out or added up."""

from collections import Counter

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.places import Place, with_short_names

PROBLEMS_KEPT = 20
PROBLEMS_LIMIT = 1000
"""More problems than this end the reading."""

PLACES_KEPT = 5
"""Places that are kept for each reason why records are left out."""

REASONS_KEPT = 40
"""Reasons that are told apart; a parser of another package may give any number of them."""

REASON_LENGTH = 200
"""Characters that are kept of a reason."""

OTHER_REASONS = "other reasons"


class Findings:
    """Shared by an archive and its members.

    Attributes:
        skipped: how many records and cells are no rows, by the reason.
        figures: the sum of the counts of those that had one, by the reason.
        places: the first places of those, by the reason.
        added: how many records were added to another one of the same name, by the reason.
        recognised: the name of the format, once it is known.
        sex_by_name: the sex of the whole file, if only its name or the uploader says it.
    """

    def __init__(self, filename: str) -> None:
        self.skipped: Counter[str] = Counter()
        self.figures: Counter[str] = Counter()
        self.places: dict[str, list[Place]] = {}
        self.added: Counter[str] = Counter()
        self.recognised: str | None = None
        self.sex_by_name: str | None = None
        self._filename = filename
        self._problems: list[Problem] = []
        self._more = 0

    def skip(self, reason: str, count: int, place: Place | None, figure: int) -> None:
        """Counts records that are left out.

        Args:
            reason: why.
            count: how many there are.
            place: of the first of them, if known.
            figure: the sum of their own counts; 0 if they have none.
        """
        reason = _kept(reason, self.skipped)
        self.skipped[reason] += count
        if figure:
            self.figures[reason] += figure
        if place is not None:
            places = self.places.setdefault(reason, [])
            if len(places) < PLACES_KEPT:
                places.append(with_short_names(place))

    def add(self, reason: str, count: int) -> None:
        """Counts records that were added to another one of the same name."""
        self.added[_kept(reason, self.added)] += count

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


def _kept(reason: str, known: Counter[str]) -> str:
    """The reason as the report has it: not too long, and not one too many."""
    if reason in known:
        return reason
    reason = reason[:REASON_LENGTH]
    return reason if reason in known or len(known) < REASONS_KEPT else OTHER_REASONS
