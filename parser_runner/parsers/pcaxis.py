"""PC-Axis files: keywords, and a matrix of figures in the order of their dimensions.

https://www.scb.se/en/services/statistical-programs-for-px-files/px-file-format/
This reads the subset that statistical offices write: STUB and HEADING, VALUES of each, DATA without KEYS. It ignores
further languages, notes and codes. Readers on PyPI depend on pandas.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.source import Source

CHARSET = "cp1252"
"""The charset of CHARSET="ANSI", and of files without CHARSET."""

_STRING = re.compile(r'"([^"]*)"')
_KEYWORD = re.compile(r'([A-Z][A-Z0-9-]*)(?:\[[^\]]*\])?(?:\("([^"]*)"[^)]*\))?')
_FIGURE = re.compile(r'"[^"]*"|[^\s;",]+')


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix.

    Args:
        title: TITLE and CONTENTS.
        dimensions: name and values of each, those of STUB first.
        figures: text and line of each figure. A text in quotes is no figure: it says why there is none.
        line: the first line of DATA.
    """

    title: str
    dimensions: list[tuple[str, list[str]]]
    figures: list[tuple[str, int]]
    line: int

    def cells(self) -> Iterator[tuple[tuple[int, ...], str, int]]:
        """For each figure: its index in every dimension, its text and its line."""
        every = itertools.product(*(range(len(values)) for _, values in self.dimensions))
        for index, (text, line) in zip(every, self.figures, strict=True):
            yield index, text, line


def read_matrix(source: Source) -> Matrix:
    """Reads the file.

    Raises:
        Rejected: it has no such matrix.
    """
    keywords: dict[tuple[str, str], list[str]] = {}
    figures: list[tuple[str, int]] = []
    pending, quotes, data, ended = "", 0, 0, False
    line = ""
    for number, line in source.raw_lines(CHARSET):
        if data:
            ended = ended or ";" in line
            figures += [(found, number) for found in _FIGURE.findall(line)]
            continue
        # A statement ends with a semicolon outside quotes, at the end of a line.
        pending += line.rstrip("\r\n")
        quotes += line.count('"')
        if len(pending) > 16 * source.limits.cell_chars:
            raise source.rejected(Reason.INVALID_FORMAT, "a statement does not end: expected a semicolon", number)
        if pending.startswith("DATA="):
            data = number
            ended = ";" in pending
            figures += [(found, number) for found in _FIGURE.findall(pending.removeprefix("DATA="))]
        elif pending.endswith(";") and quotes % 2 == 0:
            _statement(keywords, pending[:-1])
            pending, quotes = "", 0
    source.raise_problems()
    # Some offices leave the last semicolon out.
    if not data or not (ended or line.endswith("\n")):
        raise source.rejected(Reason.INVALID_FORMAT, "the file is cut off: expected DATA=, figures and a semicolon")
    names = keywords.get(("STUB", ""), []) + keywords.get(("HEADING", ""), [])
    dimensions = [(name, keywords.get(("VALUES", name), [])) for name in names]
    title = " ".join(text for key in ("TITLE", "CONTENTS") for text in keywords.get((key, ""), []))
    expected = 1
    for _, values in dimensions:
        expected *= len(values)
    if not dimensions or len(figures) != expected:
        message = f"expected {expected} figures by VALUES of STUB and HEADING, found {len(figures)}"
        raise source.rejected(Reason.INVALID_FORMAT, message, data)
    return Matrix(title, dimensions, figures, data)


def _statement(keywords: dict[tuple[str, str], list[str]], text: str) -> None:
    key, _, value = text.partition("=")
    if found := _KEYWORD.fullmatch(key.strip()):
        # The first one counts: further languages come later.
        keywords.setdefault((found[1], found[2] or ""), _STRING.findall(value))
