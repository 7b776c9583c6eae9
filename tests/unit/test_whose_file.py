"""Whose file it is: no file is read as another publisher's, in any country, as any format, with any region.

Every sample and every format takes part, those to come too: the files of tests/data, and of the folder AFFIRM_CORPUS,
and the small sample of each format. Only the beginnings of long lists are read, since recognition looks at no more.
"""

import io
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers import Source, countries, parse
from parser_runner.parsers.findings import Findings
from parser_runner.parsers.whose_file import all_recognised, regions_of
from tests.unit.foreign_lists import FOREIGN, Foreign
from tests.unit.parsing import refusal
from tests.unit.publisher_files import FIGURES, FOLDERS, said_of
from tests.unit.samples import ALL_PARSERS, COUNTRIES, LINES, SAMPLES

WHOLE = 64 * 1024
"""Bytes of a list that is not cut."""


class Tried(NamedTuple):
    """A file with the format that reads it, and what only its uploader can say."""

    id: str
    format: str
    source: Source
    hints: FileHints

    @property
    def country(self) -> str:
        return COUNTRIES[self.format]


WHOLE_ONLY = {"us-nyc", "us-nys"}
"""Their sums are refused unless all parts are there."""


@cache
def tried() -> list[Tried]:
    """All samples, each opened once: a workbook takes a process."""
    at_hand = {path: folder / path for path in FIGURES for folder in FOLDERS if (folder / path).exists()}
    files = [
        (path, FIGURES[path]["format"], where.name, where.read_bytes(), said_of(path))
        for path, where in at_hand.items()
    ]
    files += [(f"sample of {name}", name, one.name, one.content, one.hints) for name, one in SAMPLES.items()]
    return [
        Tried(
            shown,
            format_name,
            Source(name, io.BytesIO(content if format_name in WHOLE_ONLY else beginning(name, content)), hints),
            hints,
        )
        for shown, format_name, name, content, hints in files
    ]


def beginning(name: str, content: bytes) -> bytes:
    """The first lines of a long list."""
    if len(content) <= WHOLE or not name.lower().endswith((".csv", ".txt")):
        return content
    return b"".join(content.splitlines(keepends=True)[:LINES])


@cache
def recognised() -> dict[str, set[str]]:
    """By the file: all formats that recognise its content."""
    return {
        one.id: {name for name, parser in ALL_PARSERS.items() if all_recognised(one.source, [parser])}
        for one in tried()
    }


def may_be_read(one: Tried, formats: Collection[str]) -> bool:
    """Whether one of these formats recognises the file; an archive's members are looked at apart."""
    archive = one.source.is_zip and one.source.workbook() is None
    return archive or not recognised()[one.id].isdisjoint(formats)


def is_read(one: Tried, country: str, hints: FileHints) -> bool:
    """Whether the file is read to its end without a refusal."""
    one.source.hints = hints
    one.source.findings = Findings(one.source.filename)
    one.source.rewind()
    try:
        for _ in parse(one.source, country).rows:
            pass
    except Rejected:
        return False
    return True


def sayings(one: Tried) -> Iterator[FileHints]:
    """What an uploader may say besides format and region: what the file needs; its year; its year and sex."""
    known = FIGURES.get(one.id, {})
    year = int(known.get("first_year", 2015))
    yield replace(one.hints, format=None, region=None)
    yield FileHints(year=year)
    yield FileHints(year=year, sex=known.get("sexes", "F")[0])


def show(capsys: pytest.CaptureFixture[str], how: str, pairs: int, wrong: Collection[object]) -> None:
    with capsys.disabled():
        print(f"\n{how}: {len(tried())} files, {pairs} pairs tried, {pairs - len(wrong)} refused")


def test_every_sample_is_read_as_its_own_format() -> None:
    assert {one.format for one in tried()} == ALL_PARSERS.keys()
    for one in tried():
        assert is_read(one, one.country, one.hints), one.id
        assert is_read(one, one.country, replace(one.hints, format=one.format)), one.id


def test_no_sample_is_read_in_another_country(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [(one, country) for one in tried() for country in countries() if country != one.country]
    wrong = {
        (one.id, country)
        for one, country in pairs
        if may_be_read(one, formats_of(country)) and any(is_read(one, country, hints) for hints in sayings(one))
    }
    show(capsys, "in another country", len(pairs), wrong)
    assert not wrong


def formats_of(country: str) -> list[str]:
    return [name for name, its in COUNTRIES.items() if its == country]


def test_no_sample_is_read_as_another_format(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [(one, name) for one in tried() for name in ALL_PARSERS if name != one.format]
    wrong = {(one.id, name) for one, name in pairs if any(is_read_as(one, name, hints) for hints in sayings(one))}
    show(capsys, "as another format", len(pairs), wrong)
    assert not wrong


def is_read_as(one: Tried, name: str, hints: FileHints) -> bool:
    """Whether the file gives rows if the uploader says that it is of this format."""
    if not may_be_read(one, [name]):
        return False
    region = next(iter(regions_of(ALL_PARSERS[name])), None)
    return is_read(one, COUNTRIES[name], replace(hints, format=name, region=region))


def test_no_sample_is_read_as_another_region(capsys: pytest.CaptureFixture[str]) -> None:
    known = {line["region"] for line in FIGURES.values()} - {""}
    known.update(code for parser in ALL_PARSERS.values() for code in regions_of(parser))
    abroad = {code[:2]: code for code in sorted(known, reverse=True)}
    covered = {one.id: regions_of_file(one) for one in tried()}
    pairs = [
        (one, region)
        for one in tried()
        for region in sorted({*abroad.values(), *(code for code in known if code.startswith(one.country))})
        if region not in covered[one.id]
    ]
    wrong = {(one.id, region) for one, region in pairs if is_read(one, one.country, replace(one.hints, region=region))}
    show(capsys, "as another region", len(pairs), wrong)
    assert not wrong


def regions_of_file(one: Tried) -> set[str | None]:
    """The region of the figures, as the file's parser says it, or its uploader."""
    one.source.hints = one.hints
    one.source.findings = Findings(one.source.filename)
    return {one.hints.region, parse(one.source, one.country).region}


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda one: one.publisher)
def test_a_list_of_another_publisher_is_not_taken_for_a_covered_one(foreign: Foreign) -> None:
    for country in countries():
        error = refusal(foreign.content, foreign.name, country)
        assert error.reason in (Reason.INVALID_FORMAT, Reason.UNDECIDED, Reason.CONTRADICTORY), (country, error)
