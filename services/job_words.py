"""The filter line of jobs: words such as `state:failed cause:crashed country:US`; the rest is of a file's name.

It is what the address of a page has too, so each filter can be kept and shared, and what is typed in a terminal.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.durations import parse_duration
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState
from dataset_jobs.model.text import one_line
from services.filters import JobFilter

NEWEST_FILES = 100_000
"""What a file name contains is looked for in the newest so many datasets."""


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
        others = [word for word in self.text.split() if not word.startswith("state:")]
        return " ".join([*([] if state is None else [f"state:{state}"]), *others])


def read_words(given: str) -> JobWords:
    """Reads a filter line.

    Raises:
        InvalidRequest: it has a word that is none; the message says which, and what there is.
    """
    words = given.split()
    found: dict[str, Any] = {}
    file: list[str] = []
    for word in words:
        name, colon, value = word.partition(":")
        if not colon or not name.isalpha():
            file.append(word)
            continue
        field, read = _known(name)
        if not value:
            raise InvalidRequest(f"{name}: say which, such as {_EXAMPLES[name]}")
        if field in found and not isinstance(found[field], tuple):
            raise InvalidRequest(f"{name}: is there twice")
        made = read(value)
        found[field] = found.get(field, ()) + made if isinstance(made, tuple) else made
    if file:
        found |= {"file": " ".join(file), "newest_files": NEWEST_FILES}
    return JobWords(" ".join(words), replace(JobFilter(), **found))


def _known(name: str) -> tuple[str, Callable[[str], Any]]:
    if name not in _FIELDS:
        near = _nearest(name, _FIELDS)
        advice = f"did you mean {near}:?" if near else f"there are {', '.join(f'{one}:' for one in _FIELDS)}"
        raise InvalidRequest(f"{one_line(name)[:40]}: is no filter: {advice}")
    return _FIELDS[name]


def _one_of(name: str, words: type[JobState] | type[Cause]) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        there = [str(word) for word in words]
        for one in (several := value.split(",")):
            if one not in there:
                near = _nearest(one, there)
                advice = f"did you mean {near}?" if near else f"there are {', '.join(there)}"
                raise InvalidRequest(f"{name}:{one_line(one)[:40]}: {advice}")
        return tuple(dict.fromkeys(words(one) for one in several))

    return read


def _nearest(given: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(given.casefold(), [*known], n=1, cutoff=0.6)), None)


def _since(value: str) -> Any:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise InvalidRequest(f"since:{one_line(value)[:40]}: expected {error}") from None


_FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "state": ("states", _one_of("state", JobState)),
    "cause": ("causes", _one_of("cause", Cause)),
    "reason": ("reason", str),
    "pool": ("pool", str),
    "country": ("country", str),
    "batch": ("batch", str),
    "since": ("since", _since),
}
_EXAMPLES: Mapping[str, str] = {
    "state": "state:failed", "cause": "cause:crashed", "reason": "reason:not_a_number", "pool": "pool:default",
    "country": "country:US", "batch": "batch:monday", "since": "since:1d",
}  # fmt: skip
EXAMPLE = " ".join(_EXAMPLES[name] for name in ("state", "cause", "pool", "country", "since"))
"""For whoever sees the line for the first time."""
