"""Names, counts and years from cells: checked, and in one form."""

import re
import unicodedata
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TypeGuard

Value = str | int | float | bool | date | None
"""The types of a cell; in text files only str."""

HEAD = 15
"""The first records of a table, in which parsers look for titles and headings."""

FIRST_YEAR = 1700
COUNT_LIMIT = 2**31 - 1
NO_COUNT = f"expected a whole number from 1 to {COUNT_LIMIT} as the count"

_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)", re.ASCII)
_MARKED_YEAR = re.compile(r"([0-9]{4}) ?(?:\[[^\[\]]{0,40}\]|\([^()]{0,40}\)|[rpe*]|[¹²³⁴⁵⁶⁷⁸⁹]{1,2})?")
_NOTED_YEAR = re.compile(r"(?:^|[ (,])(\d{4})[1-9]\d?(?:,[1-9]\d?){0,8}$", re.ASCII)
_NOTE_MARK = re.compile(r"(?<=[^\W\d])\s*(?:\[[^\]]*\]|\d{1,2}(?:,\d{1,2})*)$")


class Malformed(Exception):
    """A cell holds something else than expected; the message names the expected."""


def text_of(value: Value) -> str:
    """A cell as text: in NFC, trimmed, with single spaces."""
    if isinstance(value, str):
        return value if value.isascii() and value.isalpha() else _tidy(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def label_of(value: Value) -> str:
    """A heading for comparisons: without letter case and without marks of footnotes (Count3)."""
    return _NOTE_MARK.sub("", text_of(value)).replace("’", "'").casefold()


def name_of(value: Value, limit: int) -> str:
    """A name: in NFC, trimmed, with single spaces, without quotes around it. Letter case is kept.

    Args:
        value: the cell.
        limit: the most characters of a name.

    Raises:
        Malformed: the cell has no name.
    """
    # Spreadsheets turn the name True into a truth value, and show it as TRUE.
    name = text_of(value) if isinstance(value, str | bool) else ""
    if '"' in name:
        name = name.strip('" ')
    if "\ufffd" in name:
        raise Malformed("a letter of this name was lost (U+FFFD) before the file came here: get it from the publisher")
    if not name or len(name) > limit or not _may_be_a_name(name):
        raise Malformed(f"expected a name of 1 to {limit} characters")
    return name


def count_of(value: Value) -> int:
    """A count, also 0.

    Raises:
        Malformed: the cell has no whole number, or a larger one than the table can hold.
    """
    if isinstance(value, str):
        digits = value.strip()
        if digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) <= COUNT_LIMIT:
            return int(digits)
        # NaN fails the comparison.
    elif _is_number(value) and 0 <= value <= COUNT_LIMIT and value == int(value):
        return int(value)
    raise Malformed(NO_COUNT)


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def year_of(value: Value) -> int:
    """A year.

    Raises:
        Malformed: the cell has no year, or one without figures.
    """
    text = text_of(value)
    if len(text) == 4 and text.isascii() and text.isdigit() and FIRST_YEAR <= int(text) <= this_year():
        return int(text)
    raise Malformed(f"expected a year from {FIRST_YEAR} to now")


def is_year(value: Value) -> bool:
    """Whether `year_of` accepts the cell."""
    try:
        year_of(value)
    except Malformed:
        return False
    return True


def years_in(text: str) -> list[int]:
    """The years in a title or a file's name, each once: four digits by themselves."""
    found = (int(digits) for digits in _YEAR.findall(text))
    return list(dict.fromkeys(year for year in found if FIRST_YEAR <= year <= this_year()))


def marked_year(value: Value) -> int | None:
    """The year of a heading, perhaps with a mark: 2008, 2008 [note 3], 2008r, 2008*, 2008¹. None if there is none."""
    found = _MARKED_YEAR.fullmatch(text_of(value))
    return int(found[1]) if found and is_year(found[1]) else None


def noted_year(title: str) -> int | None:
    """The year at the end of a title, if the mark of a note is glued to it: 2008 of "Names, 20081" or "Names, 20081,2".

    Five figures elsewhere may be anything; none of them is taken for a year.
    """
    found = _NOTED_YEAR.search(title)
    return int(found[1]) if found and is_year(found[1]) else None


def this_year() -> int:
    """The current year, the latest with figures."""
    return datetime.now(UTC).year


def has_letter(text: str) -> bool:
    """Whether any character is a letter."""
    return any(map(str.isalpha, text))


def kind_of(value: Value) -> str:
    """What a cell holds, without quoting it."""
    text = text_of(value)
    if not text:
        return "an empty cell"
    if text.isdecimal():
        return "a number"
    return "one letter" if len(text) == 1 and has_letter(text) else f"a text of {len(text)} characters"


@lru_cache(maxsize=1 << 14)
def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=1 << 14)
def _may_be_a_name(name: str) -> bool:
    return name.isprintable() and has_letter(name)
