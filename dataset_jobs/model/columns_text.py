"""Descriptions as one line: `year=jahr name=vorname sex=geschlecht(weiblich=F männlich=M) count=Anzahl`.

Items are separated by spaces. An item is KEY=TEXT; the key is one of a description's. `|` separates several headings of
one column. Parentheses hold KEY=TEXT too: what the texts in a column mean (F, M, or `-` for records that are left out),
or what a sheet or a block is about. A text with spaces, or one of `=|()'"`, stands in quotes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataset_jobs.model.description_parts import LEFT_OUT, PLAIN_KEYS, InvalidDescription, unknown_key

Path = tuple[str | int, ...]
Places = Mapping[Path, str]

COLUMNS = {"name": "names", "count": "counts", "sex": "sexes", "year": "years", "sum_over": ""}
"""The columns, and the table of left-out texts of each."""

_PARTS = {"sheet": ("sheets", "name"), "block": ("blocks", "sex")}
"""The keys that may be repeated: the table of each, and the key of its own text."""

_TOKEN = re.compile(r"""(?P<space>\s+)|'(?P<single>(?:[^']|'')*)'|"(?P<double>(?:[^"]|"")*)"|(?P<sign>[=|()])"""
                    r"""|(?P<bare>[^\s=|()'"]+)""")  # fmt: skip
_BARE = re.compile(r"""[^\s=|()'"]+""")
_QUOTE_SPACES = "a text with spaces stands in quotes, such as name='Given Name'"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """`text`, one of `=|()`, or empty at the end."""
    text: str
    at: int


def read_columns(text: str) -> tuple[dict[str, Any], Places]:
    """The document of a line, and the place of each of its parts.

    Raises:
        InvalidDescription: the line is malformed.
    """
    return _Reader([*_tokens(text)]).read()


def columns_text(document: Mapping[str, Any]) -> str:
    """A document as one line."""
    columns = document.get("columns", {})
    meanings = {"sex": [(text, sex) for sex, texts in document.get("sexes", {}).items() for text in texts]}
    items = []
    for key, left_out in COLUMNS.items():
        values = meanings.get(key, [])
        values += [(text, LEFT_OUT) for text in document.get("left_out", {}).get(left_out, [])]
        if key in columns or values:
            items.append(f"{key}={_headings(columns.get(key, ''))}{_in_parentheses(values)}")
    for key, (table, own) in _PARTS.items():
        for part in document.get(table, []):
            pairs = [(inner, value) for inner, value in part.items() if inner != own]
            items.append(f"{key}={_headings(part.get(own, ''))}{_in_parentheses(pairs)}")
    plain = {key: value for key, value in document.items() if not isinstance(value, dict | list)}
    items += [f"{key}={_quoted('yes' if value is True else str(value))}" for key, value in plain.items()]
    return " ".join(items)


def _in_parentheses(pairs: list[tuple[str, Any]]) -> str:
    return f"({' '.join(f'{_quoted(text)}={_headings(value)}' for text, value in pairs)})" if pairs else ""


def _headings(value: Any) -> str:
    texts = value if isinstance(value, list) else [str(value)]
    return "|".join(_quoted(text) if text else "" for text in texts)


def _quoted(text: str) -> str:
    return text if _BARE.fullmatch(text) else "'" + text.replace("'", "''") + "'"


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise InvalidDescription([f"character {at + 1}: the quote is not closed"])
        kind = str(found.lastgroup)
        if kind == "sign":
            yield _Token(found[0], found[0], at)
        elif kind != "space":
            quote = {"single": "'", "double": '"'}.get(kind, "")
            yield _Token("text", found[kind].replace(quote * 2, quote) if quote else found[kind], at)
        at = found.end()
    yield _Token("", "", at)


class _Reader:
    """Reads tokens, item by item."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._document: dict[str, Any] = {}
        self._places: dict[Path, str] = {}

    def read(self) -> tuple[dict[str, Any], Places]:
        while self._token.kind:
            self._item()
        return self._document, self._places

    def _item(self) -> None:
        key = self._expect("text", f"expected KEY=TEXT; {_QUOTE_SPACES}")
        self._expect("=", f"expected = after this; {_QUOTE_SPACES}", key.at)
        known = [*COLUMNS, *_PARTS, *PLAIN_KEYS]
        if key.text not in known:
            raise _error(key.at, unknown_key(key.text, known))
        texts = self._texts()
        pairs = self._pairs()
        if key.text in _PARTS:
            self._add_part(key, texts, pairs)
        elif key.text in COLUMNS:
            self._put(("columns", key.text), texts, key)
            for text, meaning in pairs:
                self._add_meaning(key.text, text, meaning)
        else:
            if pairs:
                raise _error(pairs[0][0].at, f"{key.text} takes no parentheses")
            self._put((key.text,), texts, key)

    def _add_part(self, key: _Token, texts: list[str], pairs: list[tuple[_Token, list[str]]]) -> None:
        table, own = _PARTS[key.text]
        parts = self._document.setdefault(table, [])
        path: Path = (table, len(parts))
        parts.append({})
        self._places.setdefault((table,), _place(key.at))
        self._places[path] = _place(key.at)
        if texts:
            self._put((*path, own), texts, key)
        for name, values in pairs:
            self._put((*path, name.text), values, name)

    def _add_meaning(self, column: str, text: _Token, meaning: list[str]) -> None:
        if meaning == [LEFT_OUT] and COLUMNS[column]:
            table, key = "left_out", COLUMNS[column]
        elif column == "sex" and meaning in (["F"], ["M"]):
            table, key = "sexes", meaning[0]
        elif COLUMNS[column]:
            expected = f"F, M or {LEFT_OUT}" if column == "sex" else LEFT_OUT
            raise _error(text.at, f"the meaning of a text in the column {column}: expected {expected}")
        else:
            raise _error(text.at, f"{column} takes no parentheses")
        texts = self._document.setdefault(table, {}).setdefault(key, [])
        texts.append(text.text)
        self._places.setdefault((table, key), _place(text.at))
        self._places[table, key, len(texts) - 1] = _place(text.at)

    def _put(self, path: Path, texts: list[str], key: _Token) -> None:
        *outer, last = path
        table: Any = self._document
        for one in outer:
            table = table.setdefault(one, {}) if isinstance(table, dict) else table[one]
        if last in table:
            raise _error(key.at, f"{key.text} comes twice")
        if texts:
            table[last] = texts[0] if len(texts) == 1 else texts
            if len(texts) == 1 and path[0] != "columns":
                table[last] = _value(str(last), texts[0])
        self._places[path] = _place(key.at)

    def _texts(self) -> list[str]:
        """One text, several with | between, or none before parentheses."""
        texts = []
        if self._token.kind == "(":
            return []
        while True:
            text = self._expect("text", "expected a text here")
            if self._token.kind == "=":
                raise _error(text.at, "expected the text of the item before this")
            texts.append(text.text)
            if self._token.kind != "|":
                return texts
            self._next += 1

    def _pairs(self) -> list[tuple[_Token, list[str]]]:
        """The pairs in parentheses, if there are any."""
        if self._token.kind != "(":
            return []
        opening = self._token.at
        self._next += 1
        pairs = []
        while self._token.kind != ")":
            text = self._expect("text", "the parenthesis is not closed", opening)
            self._expect("=", f"expected = after this; {_QUOTE_SPACES}", text.at)
            pairs.append((text, self._texts()))
        self._next += 1
        return pairs

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _expect(self, kind: str, otherwise: str, at: int | None = None) -> _Token:
        token = self._token
        if token.kind != kind:
            raise _error(token.at if at is None else at, otherwise)
        self._next += 1
        return token


def _value(key: str, text: str) -> int | str | bool:
    """A value as TOML would have it: numbers as such."""
    if key in _NUMBERS and text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    if key == "ignore_titles" and text in ("yes", "true"):
        return True
    return text


_NUMBERS = ("top", "smallest", "heading_row", "file_year", "year")


def _place(at: int) -> str:
    return f"character {at + 1}"


def _error(at: int, message: str) -> InvalidDescription:
    return InvalidDescription([f"{_place(at)}: {message}"])
