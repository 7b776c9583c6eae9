"""Filter lines of lists: words such as `state:failed country:US`; the rest is of a file's name.

It is what the address of a list has too, so each filter can be kept and shared.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from dataset_jobs.model.durations import parse_duration
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line

NEWEST_FILES = 100_000
"""What a file name contains is looked for in the newest so many datasets."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a word of a filter line says.

    Args:
        name: of the field of the filter.
        read: reads what is after the colon; raises InvalidRequest. A tuple is added to what other words said.
        example: for whoever has not said which.
    """

    name: str
    read: Callable[[str], Any]
    example: str


def read_line(given: str, fields: Mapping[str, Field]) -> tuple[str, dict[str, Any]]:
    """Reads a filter line.

    Returns:
        The line with one space between words, and the fields of the filter that it names.

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
        field = _known(name, fields)
        if not value:
            raise InvalidRequest(f"{name}: say which, such as {name}:{field.example}")
        if field.name in found and not isinstance(found[field.name], tuple):
            raise InvalidRequest(f"{name}: is there twice")
        made = field.read(value)
        found[field.name] = found.get(field.name, ()) + made if isinstance(made, tuple) else made
    if file:
        found |= {"file": " ".join(file), "newest_files": NEWEST_FILES}
    return " ".join(words), found


def with_word(text: str, name: str, value: str | None) -> str:
    """The same line with another value of a word, or without that word."""
    others = [word for word in text.split() if not word.startswith(f"{name}:")]
    return " ".join([*([] if value is None else [f"{name}:{value}"]), *others])


def one_of(name: str, words: type[StrEnum]) -> Callable[[str], Any]:
    """Reads one of the words, or several with commas between them."""

    def read(value: str) -> Any:
        there = [str(word) for word in words]
        for one in (several := value.split(",")):
            if one not in there:
                near = _nearest(one, there)
                advice = f"did you mean {near}?" if near else f"there are {', '.join(there)}"
                raise InvalidRequest(f"{name}:{one_line(one)[:40]}: {advice}")
        return tuple(dict.fromkeys(words(one) for one in several))

    return read


def ago(name: str) -> Callable[[str], Any]:
    """Reads how long ago."""

    def read(value: str) -> Any:
        try:
            return parse_duration(value)
        except ValueError as error:
            raise InvalidRequest(f"{name}:{one_line(value)[:40]}: expected {error}") from None

    return read


def example(fields: Mapping[str, Field], *names: str) -> str:
    """Some of the words, for whoever sees the line for the first time."""
    return " ".join(f"{name}:{fields[name].example}" for name in names)


def _known(name: str, fields: Mapping[str, Field]) -> Field:
    if name not in fields:
        near = _nearest(name, fields)
        advice = f"did you mean {near}:?" if near else f"there are {', '.join(f'{one}:' for one in fields)}"
        raise InvalidRequest(f"{one_line(name)[:40]}: is no filter: {advice}")
    return fields[name]


def _nearest(given: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(given.casefold(), [*known], n=1, cutoff=0.6)), None)
