"""What the columns of a table seem to hold, by their headings and by their values."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from parser_runner.parsers.descriptions import heading_words
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Table
from parser_runner.parsers.values import Malformed, Value, count_of, has_letter, is_year, label_of, text_of

MOST_TEXTS = 8
"""Different texts of a column that are kept."""

_WORD = re.compile(r"[^\W\d_]+")
_EXACT, _PART = 2, 1


@dataclass
class Column:
    """A column of a table.

    Args:
        index: from 0.
        heading: as it stands there; empty if the table has none.
        samples: the texts in the first records below.
    """

    index: int
    heading: str
    samples: Sequence[Value] = ()
    texts: dict[str, int] = field(default_factory=dict)
    """The first different texts of the whole column, if they were asked for."""

    @property
    def label(self) -> str:
        """The heading for comparisons."""
        return label_of(self.heading)

    def is_called(self, words: frozenset[str]) -> int:
        """How surely the heading is one of these: 0 if it is not."""
        if self.label in words:
            return _EXACT
        return _PART if any(word in words for word in _WORD.findall(self.label)) else 0

    @property
    def holds_years(self) -> bool:
        """Whether all values are years."""
        values = [value for value in self.samples if text_of(value)]
        return bool(values) and all(map(is_year, values))

    @property
    def holds_names(self) -> bool:
        """Whether most values have a letter."""
        texts = [*filter(None, map(text_of, self.samples))]
        return bool(texts) and sum(map(has_letter, texts)) * 2 > len(texts)

    @property
    def holds_counts(self) -> bool:
        """Whether the values are counts, or signs in their place."""
        filled = [value for value in self.samples if text_of(value)]
        return any(map(_is_count, filled)) and all(_is_count(value) or is_sign(text_of(value)) for value in filled)

    @property
    def holds_sexes(self) -> bool:
        """Whether all values are words for sexes, or letters that may be."""
        texts = {text_of(value).casefold() for value in self.samples} - {""}
        known = heading_words.SEXES["F"] | heading_words.SEXES["M"]
        return bool(texts) and (texts <= known or tuple(sorted(texts)) in heading_words.UNSURE) and len(texts) <= 4

    @property
    def is_name(self) -> int:
        """How surely it holds given names."""
        if self.is_called(heading_words.SURNAME) or not self.holds_names or self.holds_sexes:
            return 0
        return self.is_called(heading_words.NAME)

    @property
    def is_count(self) -> int:
        """How surely it holds counts."""
        if self.is_called(heading_words.RANK) == _EXACT or not self.holds_counts:
            return 0
        return self.is_called(heading_words.COUNT)


def is_sign(text: str) -> bool:
    """Whether a text may stand for a suppressed count: no letters and no figures, or one letter in brackets."""
    return 0 < len(text) <= 4 and not any(map(str.isalnum, text.strip("[]()")[1:])) and not text[:1].isdigit()


def columns_of(table: Table, record: int) -> list[Column]:
    """The columns below a record of headings; below the beginning of the table, if it is 0."""
    head = [*table.head()]
    below = [row for row in head[record:] if any(map(text_of, row))]
    headings = head[record - 1] if record else below[0]
    return [
        Column(
            index,
            text_of(value) if record else "",
            [row[index] for row in below if index < len(row)],
        )
        for index, value in enumerate(headings)
    ]


def read_texts(source: Source, table: Table, record: int, columns: Iterable[Column]) -> None:
    """Collects the first different texts of columns. Figures count as one text."""
    wanted = [*columns]
    source.rewind()
    for number, row in table.records():
        if number <= record:
            continue
        for column in wanted:
            if column.index < len(row) and len(column.texts) < MOST_TEXTS:
                text = text_of(row[column.index])
                if not (column.holds_counts and _is_count(text)):
                    column.texts[text] = column.texts.get(text, 0) + 1


def _is_count(value: Value) -> bool:
    try:
        count_of(value)
    except Malformed:
        return False
    return True
