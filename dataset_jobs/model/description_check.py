"""Checks a description from TOML, JSON or a line: unknown keys, wrong values, parts that contradict one another."""

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dataset_jobs.model.columns_text import Path, Places
from dataset_jobs.model.description_parts import (
    COLUMN_KEYS,
    IN_FILENAME,
    IN_TITLE,
    MAX_CHARS,
    MAX_HEADING_ROW,
    MAX_HEADINGS,
    MAX_PARTS,
    MAX_VALUES,
    MEASURES,
    YEAR,
    BlockColumns,
    InvalidDescription,
    Shape,
    SheetWanted,
    Texts,
    shown,
    unknown_key,
)
from dataset_jobs.model.text import one_line

_FIRST_YEAR = 1700
_MOST_PROBLEMS = 10
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]+(?:-[A-Z0-9]+)*")
_FORMAT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CHARSET = re.compile(
    r"(utf[-_]?8|ascii|latin[-_]?\d+|iso[-_]?8859[-_]\d+|(cp|windows-?)\d+|koi8[-_][rut]|mac[-_]?\w+|shift_jis|euc_\w+|gb\w+|big5)",
    re.IGNORECASE,
)
_SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_SEXES = ("F", "M")


def checked(document: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """The fields of a `Description`.

    Args:
        document: as TOML or JSON has it.
        places: of its parts, in words.

    Raises:
        InvalidDescription: all that is wrong, each with its place.
    """
    check = _Check(places)
    fields = check.document(document)
    if not check.problems:
        check.agreement(fields)
    if check.problems:
        raise InvalidDescription(check.problems[:_MOST_PROBLEMS])
    return fields


class _Check:
    def __init__(self, places: Places) -> None:
        self._places = places
        self.problems: list[str] = []

    def wrong(self, path: Path, message: str) -> None:
        """Notes a problem at the place of this part, or of the nearest around it."""
        for length in range(len(path), 0, -1):
            if place := self._places.get(path[:length]):
                self.problems.append(f"{place}: {message}")
                return
        self.problems.append(message)

    # Values

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        known = {*_PLAIN, "shape", "columns", "sexes", "left_out", "sheets", "blocks"}
        self._keys((), document, known)
        fields: dict[str, Any] = {}
        for key, read in _PLAIN.items():
            if key in document:
                fields[key] = self._value((key,), document[key], read)
        for key, values in self._tables(document):
            fields[key] = values
        fields["sheets"] = tuple(self._parts(document, "sheets", self._sheet))
        fields["blocks"] = tuple(self._parts(document, "blocks", self._block))
        if "shape" in document:
            fields["shape"] = self._value(("shape",), document["shape"], _one_of(*map(str, Shape)))
        return fields

    def _tables(self, document: Mapping[str, Any]) -> Iterator[tuple[str, Texts]]:
        for table, fields in _TABLES.items():
            values = document.get(table, {})
            if not isinstance(values, dict):
                self.wrong((table,), f"{table}: expected a table, [{table}]")
                continue
            self._keys((table,), values, fields)
            most = MAX_HEADINGS if table == "columns" else MAX_VALUES
            for key, field in fields.items():
                if key in values:
                    empty = table == "left_out" and key != "names"
                    yield field, self._texts((table, key), values[key], most, empty=empty)

    def _parts(
        self, document: Mapping[str, Any], table: str, read: Callable[[Path, Mapping[str, Any]], Any]
    ) -> Iterator[Any]:
        parts = document.get(table, [])
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            self.wrong((table,), f"{table}: expected tables, each as [[{table}]]")
            return
        if len(parts) > MAX_PARTS:
            self.wrong((table,), f"{table}: at most {MAX_PARTS} are allowed")
            return
        for index, part in enumerate(parts):
            yield read((table, index), part)

    def _sheet(self, path: Path, part: Mapping[str, Any]) -> SheetWanted:
        self._keys(path, part, ("name", "sex", "year"))
        name = self._value((*path, "name"), part.get("name"), _text)
        return SheetWanted(name=str(name), **self._sex_and_year(path, part))

    def _block(self, path: Path, part: Mapping[str, Any]) -> BlockColumns:
        self._keys(path, part, ("name", "count", "sex", "year"))
        name, count = (self._texts((*path, key), part.get(key), MAX_HEADINGS) for key in ("name", "count"))
        return BlockColumns(name=name, count=count, **self._sex_and_year(path, part))

    def _sex_and_year(self, path: Path, part: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: self._value((*path, key), part[key], read) if key in part else None
            for key, read in (("sex", _one_of(*_SEXES)), ("year", _year))
        }

    def _keys(self, path: Path, values: Mapping[str, Any], known: Sequence[str] | Mapping[str, Any] | set[str]) -> None:
        for key in values:
            if key not in known:
                belongs = [table for table, keys in _TABLES.items() if key in keys and not path]
                hint = f"{key}: this belongs into [{belongs[0]}]" if belongs else unknown_key(str(key), known)
                self.wrong((*path, key), hint)

    def _value(self, path: Path, value: Any, read: Callable[[Any], Any]) -> Any:
        try:
            return read(value)
        except ValueError as error:
            key = next(key for key in reversed(path) if isinstance(key, str))
            self.wrong(path, f"{key}: expected {error}")
            return None

    def _texts(self, path: Path, value: Any, most: int, *, empty: bool = False) -> Texts:
        texts = value if isinstance(value, list) else [value]
        if not texts or len(texts) > most:
            self.wrong(path, f"{path[-1]}: expected 1 to {most} texts")
            return ()
        read = _text_or_nothing if empty else _text
        return tuple(str(self._value((*path, index), text, read)) for index, text in enumerate(texts))

    # What parts say together

    def agreement(self, fields: dict[str, Any]) -> None:
        """Notes what contradicts itself; takes out `shape`, which the other parts say."""
        blocks: Sequence[BlockColumns] = fields["blocks"]
        wide = any(YEAR in heading for heading in fields.get("count", ()))
        shape = Shape.BLOCKS if blocks else Shape.WIDE if wide else Shape.LONG
        given = fields.pop("shape", shape)
        if given != shape:
            self.wrong(("shape",), f"shape: this is {given}, but {_SHAPES[shape]}: {shape}")
        if blocks:
            self._blocks_agree(fields, blocks)
        else:
            for key in ("name", "count"):
                if not fields.get(key):
                    self.wrong(("columns",), f"no column {key}: expected {key}=HEADING")
        for heading in fields.get("count", ()):
            if wide and heading.count(YEAR) != 1:
                self.wrong(("columns", "count"), f"count: expected {YEAR} once in each heading of a wide table")
        if wide and fields.get("sum_over"):
            self.wrong(("columns", "sum_over"), "sum_over: only long lists are summed over a column")
        self._columns_differ(fields)
        self._one_says_it(fields, "year", wide=wide)
        self._one_says_it(fields, "sex", wide=False)
        self._texts_agree(fields)

    def _blocks_agree(self, fields: Mapping[str, Any], blocks: Sequence[BlockColumns]) -> None:
        for key in COLUMN_KEYS:
            if fields.get(key):
                self.wrong(("columns", key), f"{key}: blocks have columns of their own: leave this out")
        about = Counter((block.sex, block.year) for block in blocks)
        for index, block in enumerate(blocks):
            if about[block.sex, block.year] > 1:
                self.wrong(("blocks", index), "block: two blocks of the same sex and year: each needs its own")

    def _columns_differ(self, fields: Mapping[str, Any]) -> None:
        seen: dict[str, str] = {}
        for key in COLUMN_KEYS:
            for heading in {heading.casefold() for heading in fields.get(key, ())}:
                if (other := seen.setdefault(heading, key)) != key:
                    self.wrong(("columns", key), f"{key}: the same heading as {other}")

    def _one_says_it(self, fields: Mapping[str, Any], key: str, *, wide: bool) -> None:
        """Either a column has it, or each sheet, or each block, or the file."""
        saying = [
            (("columns", key), f"the column {key}", bool(fields.get(key))),
            (("columns", "count"), f"{YEAR} in the headings", wide),
            (("sheets",), "the sheets", any(getattr(sheet, key) for sheet in fields["sheets"])),
            (("blocks",), "the blocks", any(getattr(block, key) for block in fields["blocks"])),
            ((f"file_{key}",), f"file_{key}", fields.get(f"file_{key}") is not None),
        ]
        said = [(path, what) for path, what, says in saying if says]
        if len(said) > 1:
            self.wrong(said[1][0], f"{key}: both {said[0][1]} and {said[1][1]} say it: leave one out")
        for table in ("sheets", "blocks"):
            has = [getattr(part, key) is not None for part in fields[table]]
            if any(has) and not all(has):
                self.wrong((table, has.index(False)), f"{key}: some {table} have it and this has not")

    def _texts_agree(self, fields: Mapping[str, Any]) -> None:
        seen: set[str] = set()
        for key, column, path in (
            ("girls", "sex", ("sexes", "F")),
            ("boys", "sex", ("sexes", "M")),
            ("no_sexes", "sex", ("left_out", "sexes")),
            ("no_years", "year", ("left_out", "years")),
        ):
            if fields.get(key) and not fields.get(column):
                self.wrong(path, f"{path[1]}: there is no column {column}")
            for index, text in enumerate(fields.get(key, ()) if column == "sex" else ()):
                if text in seen:
                    self.wrong((*path, index), f"{shown(text)}: this text has two meanings")
                seen.add(text)
        names = [sheet.name for sheet in fields["sheets"]]
        if len({*names}) < len(names):
            self.wrong(("sheets",), "sheets: the same sheet twice")


# Readers of single values; a ValueError says what was expected.


def _text_or_nothing(value: Any) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else None
    if text is None or len(text) > MAX_CHARS or one_line(text) != text:
        raise ValueError(f"a text of 1 to {MAX_CHARS} printable characters")
    return unicodedata.normalize("NFC", text)


def _text(value: Any) -> str:
    text = _text_or_nothing(value)
    if not text:
        raise ValueError(f"a text of 1 to {MAX_CHARS} printable characters")
    return text


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(" or ".join(allowed))
        return value

    return read


def _number(first: int, last: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not first <= value <= last:
            raise ValueError(f"a whole number from {first} to {last}")
        return value

    return read


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > MAX_CHARS or not pattern.fullmatch(value):
            raise ValueError(expected)
        return value

    return read


def _year(value: Any) -> int:
    return _number(_FIRST_YEAR, datetime.now(UTC).year)(value)


def _file_year(value: Any) -> int | str:
    if value in (IN_FILENAME, IN_TITLE):
        return str(value)
    try:
        return _year(value)
    except ValueError as error:
        raise ValueError(f"{error}, {IN_FILENAME} or {IN_TITLE}") from None


def _separator(value: Any) -> str:
    separator = _SEPARATORS.get(value, value) if isinstance(value, str) else ""
    if separator not in _SEPARATORS.values():
        raise ValueError(", ".join(_SEPARATORS))
    return str(separator)


def _charset(value: Any) -> str:
    expected = "the name of a charset, such as cp1252"
    if not isinstance(value, str) or len(value) > 30 or not _CHARSET.fullmatch(value):
        raise ValueError(expected)
    try:
        found = codecs.lookup(value)
        # Lines and separators are found in it as in ASCII.
        if found.decode(b"\r\n\t,;|09AZaz")[0] == "\r\n\t,;|09AZaz":
            return found.name
    except (LookupError, UnicodeError):
        pass
    raise ValueError(expected)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "title": _text,
    "source": _matching(re.compile(r"https?://\S+"), "an address, such as https://…"),
    "licence": _text,
    "format": _matching(_FORMAT, "a short word of a-z, 0-9 and -, such as zurich"),
    "measure": _one_of(*MEASURES),
    "region": _matching(_REGION, "an ISO 3166-2 code such as CH-ZH, or a code of docs/formats.md"),
    "top": _number(1, 1_000_000),
    "smallest": _number(1, 1000),
    "file_year": _file_year,
    "file_sex": _one_of(*_SEXES, IN_FILENAME, IN_TITLE),
    "separator": _separator,
    "charset": _charset,
    "heading_row": _number(1, MAX_HEADING_ROW),
    "ignore_titles": _flag,
}

_TABLES: dict[str, dict[str, str]] = {
    "columns": {key: key for key in COLUMN_KEYS},
    "sexes": {"F": "girls", "M": "boys"},
    "left_out": {"names": "no_names", "counts": "no_counts", "sexes": "no_sexes", "years": "no_years"},
}

_SHAPES = {
    Shape.LONG: f"without blocks and without {YEAR} the shape is",
    Shape.WIDE: f"with {YEAR} in the heading of counts the shape is",
    Shape.BLOCKS: "with blocks the shape is",
}
