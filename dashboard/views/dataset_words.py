"""The filter line of datasets: words such as `status:completed country:US year:1990`; the rest is of a file's name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataset_jobs.model.description_parts import MEASURES
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import DatasetStatus
from dataset_jobs.model.text import one_line
from services.filter_line import Field, ago, example, one_of, read_line, with_word
from services.filters import DatasetFilter
from services.submission import checked_sha256


@dataclass(frozen=True, slots=True)
class DatasetWords:
    """A filter line that is read.

    Args:
        text: as it was given, with one space between words.
        which: the datasets that it selects.
    """

    text: str
    which: DatasetFilter

    @property
    def status(self) -> DatasetStatus | None:
        """The one status that it asks for."""
        return self.which.statuses[0] if len(self.which.statuses) == 1 else None

    def of_status(self, status: DatasetStatus | None) -> str:
        """The same line for another status, or for all."""
        return with_word(self.text, "status", status)


def read_words(given: str) -> DatasetWords:
    """Reads a filter line.

    Raises:
        InvalidRequest: it has a word that is none; the message says which, and what there is.
    """
    text, found = read_line(given, _FIELDS)
    return DatasetWords(text, replace(DatasetFilter(), **found))


def _year(value: str) -> Any:
    if not (value.isascii() and value.isdigit() and len(value) <= 4):
        raise InvalidRequest(f"year:{one_line(value)[:40]}: expected a year, such as 1990")
    return int(value)


def _measure(value: str) -> Any:
    if value not in MEASURES:
        raise InvalidRequest(f"measure:{one_line(value)[:40]}: there are {', '.join(MEASURES)}")
    return value


def _yes_or_no(value: str) -> Any:
    if value not in ("yes", "no"):
        raise InvalidRequest(f"superseded:{one_line(value)[:40]}: expected yes or no")
    return value == "yes"


_FIELDS: Mapping[str, Field] = {
    "status": Field("statuses", one_of("status", DatasetStatus), "failed"),
    "country": Field("country", str, "US"),
    "year": Field("year", _year, "1990"),
    "measure": Field("measure", _measure, "births"),
    "region": Field("region", str, "US-CA"),
    "superseded": Field("superseded", _yes_or_no, "yes"),
    "batch": Field("batch", str, "monday"),
    "since": Field("since", ago("since"), "1d"),
    "sha": Field("sha256", checked_sha256, "9f86d081…"),
}
EXAMPLE = example(_FIELDS, "status", "country", "year", "since")
"""For whoever sees the line for the first time."""
