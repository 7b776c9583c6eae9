"""JSON-stat 2.0: a matrix of figures as one JSON object, of class "dataset".

https://json-stat.org/full/
This reads the subset that statistical offices write: `id` and `size` order the dimensions, `category.index` is a list
of codes or an object of positions, `value` a list or, if most are absent, an object by position. `status`, units,
notes and links are passed over.

Python's own reader builds the whole document in memory. Limits on the bytes, and on how many brackets, texts and
figures there are, hold before it starts, so no file costs more than some 250 MiB.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.limits import MIB
from dataset_jobs.model.places import Figure
from parser_runner.parsers.source import Source

BYTES_LIMIT = 16 * MIB
"""Of a document. The largest known one, all boys' names of Ireland, has 3 MiB."""

_LIMITS = ((b"{", 20_000, "objects"), (b"[", 20_000, "lists"), (b'"', 2_000_000, "quotes"), (b",", 2_000_000, "commas"))

_DIGITS_LIMIT = 20
"""Of a whole number: longer ones take long to read."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension of the matrix: its code, its label, and the labels of its categories in the order of the figures."""

    code: str
    label: str
    categories: Sequence[str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset.

    Args:
        label: its title.
        dimensions: in the order of `id`.
        figures: by their position, from 0. None is absent, and so is a position that a mapping does not have.
    """

    label: str
    dimensions: Sequence[Dimension]
    figures: Sequence[Any] | Mapping[int, Any]

    def cells(self) -> Iterator[tuple[tuple[int, ...], Any, Figure]]:
        """For each figure that is there: its index in every dimension, its value, its place."""
        sizes = [len(dimension.categories) for dimension in reversed(self.dimensions)]
        # Most positions of a mapping may be absent: it costs nothing to have large dimensions.
        every = self.figures.items() if isinstance(self.figures, Mapping) else enumerate(self.figures)
        for position, value in every:
            if value is not None:
                index, rest = [], position
                for size in sizes:
                    rest, at = divmod(rest, size)
                    index.append(at)
                yield (*reversed(index),), value, Figure(position + 1)

    @property
    def absent(self) -> int:
        """How many figures are absent."""
        whole = prod(len(dimension.categories) for dimension in self.dimensions)
        return whole - sum(1 for _ in self.cells())


class _Odd(Exception):
    """The document is not what JSON-stat says; the message says what it expects, and where."""


def is_json(source: Source) -> bool:
    """Whether the file begins as a JSON object does."""
    return source.head().removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def read_dataset(source: Source) -> Dataset:
    """Reads the file.

    Raises:
        Rejected: it has no such dataset, or is over a limit.
    """
    document = _load(source)
    try:
        return _dataset(document)
    except _Odd as odd:
        raise source.rejected(Reason.INVALID_FORMAT, str(odd)) from None


def _load(source: Source) -> Any:
    if source.size > BYTES_LIMIT:
        message = f"the JSON document has {source.size} bytes, more than {BYTES_LIMIT // MIB} MiB"
        raise source.rejected(Reason.TOO_LARGE, message)
    content = source.head(source.size)
    for sign, limit, what in _LIMITS:
        if content.count(sign) > limit:
            raise source.rejected(Reason.TOO_LARGE, f"the JSON document has more than {limit} {what}")
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        message = f"this is not JSON, or it is cut off: see column {error.colno}"
        raise source.rejected(Reason.INVALID_FORMAT, message, error.lineno) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise source.rejected(Reason.INVALID_FORMAT, "this is not UTF-8, as JSON is", line) from None
    except RecursionError:
        message = "lists and objects of the JSON document are nested too deep: expected a dataset of JSON-stat"
        raise source.rejected(Reason.INVALID_FORMAT, message) from None
    except _Odd as odd:
        raise source.rejected(Reason.INVALID_FORMAT, str(odd)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Odd("an object of the JSON document has the same key twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS_LIMIT:
        raise _Odd(f"a number of the JSON document has more than {_DIGITS_LIMIT} digits")
    return int(digits)


def _no_constant(_: str) -> None:
    raise _Odd("the JSON document has NaN or Infinity, which are no figures")


def _dataset(document: Any) -> Dataset:
    if not isinstance(document, dict) or document.get("class") != "dataset" or "dimension" not in document:
        raise _Odd('expected a dataset of JSON-stat 2.0: an object with "class": "dataset", "id", "size" and "value"')
    codes, sizes = document.get("id"), document.get("size")
    if not (
        isinstance(codes, list)
        and isinstance(sizes, list)
        and 0 < len(codes) == len(sizes)
        and all(isinstance(code, str) for code in codes)
        and len({*codes}) == len(codes)
        and all(type(size) is int and size >= 0 for size in sizes)
    ):
        raise _Odd("id and size: expected two lists of one length, of the dimensions and of their sizes")
    dimensions = [
        _dimension(document["dimension"], code, size, number)
        for number, (code, size) in enumerate(zip(codes, sizes, strict=True), 1)
    ]
    return Dataset(_text(document.get("label")), dimensions, _figures(document.get("value"), prod(sizes)))


def _dimension(dimensions: Any, code: str, size: int, number: int) -> Dimension:
    """The dimension with this code, the `number`-th of `id`."""
    here = f"dimension {number} of id"
    found = dimensions.get(code) if isinstance(dimensions, dict) else None
    category = found.get("category") if isinstance(found, dict) else None
    if not isinstance(category, dict):
        raise _Odd(f"{here}: expected it under dimension, with its categories")
    labels = category.get("label", {})
    index = category.get("index", labels)
    if not isinstance(labels, dict) or not isinstance(index, dict | list):
        raise _Odd(f"{here}: expected category.index as a list or an object, and category.label as an object")
    if isinstance(index, dict) and index is not labels:
        if sorted(map(_position, index.values())) != [*range(len(index))]:
            raise _Odd(f"{here}: expected category.index to have each position from 0 once")
        order = sorted(index, key=index.__getitem__)
    elif index is labels and len(labels) > 1:
        raise _Odd(f"{here}: expected category.index, which orders the categories")
    else:
        order = [*index]
    if len(order) != size or not all(isinstance(one, str) for one in order) or len({*order}) != size:
        raise _Odd(f"{here}: expected {size} categories by size, each once")
    assert isinstance(found, dict)
    return Dimension(code, _text(found.get("label")), [_text(labels.get(one, one)) for one in order])


def _position(value: Any) -> int:
    return value if type(value) is int else -1


def _figures(value: Any, size: int) -> Sequence[Any] | Mapping[int, Any]:
    if isinstance(value, list):
        if len(value) != size:
            raise _Odd(f"value: expected {size} figures by size, found {len(value)}")
        return value
    if not isinstance(value, dict):
        raise _Odd("value: expected a list or an object of figures")
    positions = {int(key) if key.isascii() and key.isdigit() and len(key) < 10 else -1 for key in value}
    if len(positions) != len(value) or not all(0 <= one < size for one in positions):
        raise _Odd(f"value: expected positions from 0 to {size - 1}, each once")
    return {int(key): figure for key, figure in sorted(value.items(), key=lambda item: int(item[0]))}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
