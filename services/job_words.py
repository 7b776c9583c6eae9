"""The filter line of jobs: words such as `state:failed cause:crashed country:US`; the rest is of a file's name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState
from dataset_jobs.model.text import one_line
from services.filter_line import Field, ago, example, one_of, read_line, with_word
from services.filters import JobFilter


@dataclass(frozen=True, slots=True)
class JobWords:
    """A filter line that is read.

    Args:
        text: as it was given, with one space between words.
        which: the jobs that it selects.
    """

    text: str
    which: JobFilter

    @property
    def state(self) -> JobState | None:
        """The one state that it asks for."""
        return self.which.states[0] if len(self.which.states) == 1 else None

    def of_state(self, state: JobState | None) -> str:
        """The same line for another state, or for all."""
        return with_word(self.text, "state", state)


def read_words(given: str) -> JobWords:
    """Reads a filter line.

    Raises:
        InvalidRequest: it has a word that is none; the message says which, and what there is.
    """
    text, found = read_line(given, _FIELDS)
    return JobWords(text, replace(JobFilter(), **found))


def _id(value: str) -> Any:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidRequest(f"dataset:{one_line(value)[:40]}: expected the whole id of a dataset") from None


_FIELDS: Mapping[str, Field] = {
    "state": Field("states", one_of("state", JobState), "failed"),
    "cause": Field("causes", one_of("cause", Cause), "crashed"),
    "reason": Field("reason", str, "not_a_number"),
    "pool": Field("pool", str, "default"),
    "country": Field("country", str, "US"),
    "batch": Field("batch", str, "monday"),
    "dataset": Field("dataset_id", _id, "5a7c910f-…"),
    "since": Field("since", ago("since"), "1d"),
    "ended": Field("ended_since", ago("ended"), "1d"),
}
EXAMPLE = example(_FIELDS, "state", "cause", "pool", "country", "since")
"""For whoever sees the line for the first time."""
