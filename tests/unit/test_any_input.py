"""Whatever is submitted to a parser: rows or a refusal, and nothing else."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataset_jobs.model.errors import Rejected
from parser_runner.parsers import parse_whole
from parser_runner.parsers.source import Source
from parser_runner.parsers.testkit import check_input, check_rows, mutated
from tests.unit.parsing import source
from tests.unit.samples import ALL_PARSERS, ARCHIVE, COUNTRIES, SAMPLES, InMemory
from tests.unit.workbooks import Rows, Value

TEXTS = [name for name, sample in SAMPLES.items() if sample.sheets is None]
WORKBOOKS = [name for name, sample in SAMPLES.items() if sample.sheets is not None]
BEGINNINGS = [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe"]
slow = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])

cells = st.one_of(
    st.none(), st.text(max_size=8), st.integers(-5, 3000), st.floats(), st.booleans(), st.dates(),
    st.sampled_from(["Name", "Rank", "Count", "..", "-", "Ada", "2020", "Total", "boys", "Top 100", " ", "x" * 101]),
)  # fmt: skip


def test_there_is_a_sample_of_every_format_and_it_is_read() -> None:
    assert SAMPLES.keys() == ALL_PARSERS.keys()
    for name, sample in SAMPLES.items():
        parsed = parse_whole(source(sample.content, sample.name, hints=sample.hints), COUNTRIES[name])
        rows = [*parsed.rows]
        check_rows(rows)
        assert rows
        assert parsed.parser == name


def changed(sheets: Mapping[str, Rows], chance: random.Random, cell: Value) -> dict[str, Rows]:
    """Some cells changed, rows doubled or away, a sheet called otherwise."""
    found: dict[str, Rows] = {}
    for name, rows in sheets.items():
        copied = [list(row) for row in rows]
        for _ in range(chance.randint(0, 3)):
            row = chance.choice(copied)
            if row:
                row[chance.randrange(len(row))] = cell
            if chance.random() < 0.2:
                copied.remove(row)
            if chance.random() < 0.3 or not copied:
                copied.insert(chance.randint(0, len(copied)), row)
        found[name if chance.random() < 0.9 else "Sheet1"] = copied
    return found


def given_names(name: str) -> set[str]:
    sample = SAMPLES[name]
    rows = parse_whole(source(sample.content, sample.name, hints=sample.hints), COUNTRIES[name]).rows
    return {row.name for row in rows if len(row.name) > 3}


NAMES = {name: given_names(name) for name in SAMPLES}


@pytest.mark.parametrize("name", TEXTS)
@given(chance=st.randoms(use_true_random=False), more=st.sampled_from([{}, {"year": 2001}, {"sex": "M"}]))
@settings(deadline=None, max_examples=40)
def test_a_text_file_with_changes(name: str, chance: random.Random, more: dict[str, Any]) -> None:
    sample = SAMPLES[name]
    changed = source(mutated(sample.content, chance), sample.name, hints=replace(sample.hints, **more))
    check_input(ALL_PARSERS[name], changed, NAMES[name])


@pytest.mark.parametrize("name", WORKBOOKS)
@given(chance=st.randoms(use_true_random=False), cell=cells)
@settings(deadline=None, max_examples=40)
def test_sheets_with_changes(name: str, chance: random.Random, cell: Value) -> None:
    sample = SAMPLES[name]
    assert sample.sheets is not None
    opened = source(b"", sample.name)
    opened._workbook = InMemory(changed(sample.sheets, chance, cell))
    check_input(ALL_PARSERS[name], opened, NAMES[name] - {cell})


@pytest.mark.parametrize("name", WORKBOOKS)
@given(chance=st.randoms(use_true_random=False))
@slow
def test_a_workbook_with_changed_bytes(name: str, chance: random.Random) -> None:
    sample = SAMPLES[name]
    check_input(ALL_PARSERS[name], source(mutated(sample.content, chance), sample.name), NAMES[name])


@pytest.mark.parametrize("country", sorted(set(COUNTRIES.values())))
@given(
    content=st.binary(max_size=400),
    begins=st.sampled_from(BEGINNINGS),
)
@slow
def test_any_bytes_at_all(country: str, content: bytes, begins: bytes) -> None:
    try:
        check_rows(parse_whole(source(begins + content, "submitted"), country).rows)
    except Rejected as error:
        assert error.problems


@given(chance=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_an_archive_with_changes(chance: random.Random) -> None:
    opened: Source = source(mutated(ARCHIVE.content, chance), ARCHIVE.name)
    try:
        check_rows(parse_whole(opened, "FR").rows)
    except Rejected as error:
        assert error.problems
