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
NO_LETTERS = "names without a letter"
"""Why a record is left out that has signs in place of a name."""

NO_COUNT = f"expected a whole number from 1 to {COUNT_LIMIT} as the count"

_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)", re.ASCII)
_GARBLED = re.compile(
    "Ã[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
    "|[ÂÄÅÆÇÈÉ][\x80-\xa9\xab-\xb3\xb5-\xb9\xbb-\xbf€‚„…†‡ˆ‰‹•˜™›]"
    "|Å[ƒŒœŠšŽžŸ‘’“”–—ªº]|Ä[ƒŒœŸ‘“”–—]|â€|á[»º¸¹]"
)
"""What UTF-8 becomes if it is read as cp1252: a letter of the first and a sign of the second byte. Real names have no
sign behind such a letter."""
_CHANGED = re.compile(
    r"\d{1,2}(?:[-/ ]|\. )[^\W\d_]{3,9}\.?|[^\W\d_]{3,9}\.?[- ]\d{2,4}"  # 1-May, May-24
    r"|\d{1,9}(?:[.,]\d{1,9})?E[-+]?\d{1,3}"  # 1E+03
    r"|#[^\W_]{1,9}[/!?][^\W_]{0,3}[!?]?|=.*|\[object Object\]"  # #N/A, ="Emma"
    r"|\d{1,5}[.)] .*|[^&]*&#?\w{2,8};.*",  # 1. Emma, J&ouml;rg
    re.DOTALL | re.IGNORECASE,
)
"""What programs make of names. Figures elsewhere in a name are a publisher's own slips (NICH0LE)."""
_UNSEEN = frozenset(map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10))))
"""Signs that take no ink, but count as printable."""
_DIGITS = "0123456789"
_MARKED_YEAR = re.compile(r"([0-9]{4}) ?(?:\[[^\[\]]{0,40}\]|\([^()]{0,40}\)|[rpe*]|[¹²³⁴⁵⁶⁷⁸⁹]{1,2})?")
_NOTED_YEAR = re.compile(r"(?:^|[ (,])(\d{4})[1-9]\d?(?:,[1-9]\d?){0,8}$", re.ASCII)


class Malformed(Exception):
    """A cell holds something else than expected; the message names the expected."""


class NoLetters(Malformed):
    """The cell of a name has signs in place of one (-, +, 0): the record is left out, and counted."""


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
    return _without_note_mark(text_of(value)).replace("’", "'").casefold()


def _without_note_mark(text: str) -> str:
    """Without the mark of a footnote at the end of a word: Count3, Count 3,4 or Count [note 3].

    No pattern: one that looks for a mark after every letter takes a time that grows with the square of the text.
    """
    if not text or text[-1].isalpha():
        return text
    if text.endswith("]"):
        start = text.find("[", text.rfind("]", 0, -1) + 1)
        word = text[: max(start, 0)].rstrip()
    else:
        word = text.rstrip(f"{_DIGITS},")
        marks = text[len(word) :].split(",")
        word = word.rstrip() if all(len(mark) in (1, 2) for mark in marks) else ""
    return word if word and (word[-1].isalpha() or word[-1] == "_") else text


def name_of(value: Value, limit: int) -> str:
    """A name: in NFC, trimmed, with single spaces, without quotes around it. Letter case is kept.

    Args:
        value: the cell.
        limit: the most characters of a name.

    Raises:
        NoLetters: the cell has only signs, or 0.
        Malformed: the cell has no name.
    """
    # Spreadsheets turn the name True into a truth value, and show it as TRUE.
    name = text_of(value) if isinstance(value, str | bool) else ""
    if '"' in name:
        name = name.strip('" ')
    if isinstance(value, str) and ("\n" in value or "\r" in value) and has_digit(value):
        raise Malformed("expected a name, found several lines: a quote is missing, or one too many")
    if "\ufffd" in name:
        raise Malformed("a letter of this name was lost (U+FFFD) before the file came here: get it from the publisher")
    if isinstance(value, str) and not value.isascii() and _GARBLED.search(value):
        message = "letters of this name were decoded as cp1252, but are UTF-8 (Ã¶ for ö): get it from the publisher"
        raise Malformed(message)
    if not name or len(name) > limit or not _may_be_a_name(name):
        if unseen := next((sign for sign in name if not sign.isprintable()), ""):
            raise Malformed(f"the name has a sign that cannot be seen (U+{ord(unseen):04X})")
        if _is_signs(text_of(value)):
            raise NoLetters("expected a name, found signs in its place")
        raise Malformed(f"expected a name of 1 to {limit} characters")
    if not name.isalpha() or not name.isascii():
        _check_as_written(name)
    return name


@lru_cache(maxsize=1 << 14)
def _check_as_written(name: str) -> None:
    """Refuses what is no name as its publisher wrote it.

    Raises:
        Malformed: a program changed it, or it has a sign that nobody sees.
    """
    if unseen := next((sign for sign in name if sign in _UNSEEN), ""):
        raise Malformed(f"the name has a sign that cannot be seen (U+{ord(unseen):04X})")
    if _CHANGED.fullmatch(name):
        raise Malformed(
            "a program made a date, a number, a formula or codes of this name, or put a number before it: get it from"
            " the publisher"
        )


def _is_signs(text: str) -> bool:
    """Whether it has neither letters nor figures, or is 0. Other figures may be of a column that moved."""
    return text == "0" or (text.isprintable() and bool(text) and not any(map(str.isalnum, text)))


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


def has_words(text: str, words: str) -> bool:
    """Whether a text has these words, in any letter case, and not as a part of longer ones."""
    found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text.casefold())
    return not words or found is not None


def has_digit(text: str) -> bool:
    """Whether any character is a digit."""
    return any(map(str.isdigit, text))


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
