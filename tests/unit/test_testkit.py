"""The test kit: parsers that keep the contract pass, and ways to break it are told. Parsers of other packages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from parser_runner.parsers import Parsed, Row, Source, parse_file
from parser_runner.parsers.testkit import check_parser
from tests.unit.samples import ALL_PARSERS, SAMPLES
from tests.unit.test_report import run

CONTENT = b"Office of Names\nAda,5\nGrace,7\n"


class Office:
    """Keeps the contract; made to break it by what is put in place of its parts."""

    name = "jp-office"
    description = "lines of name,count below the title Office of Names"

    def __init__(self, rows: Callable[[Source], Iterator[Row]] | None = None, measure: str = "births") -> None:
        self._rows = rows or good_rows
        self._measure = measure

    def recognises(self, source: Source) -> bool:
        return source.head().startswith(b"Office of Names\n")

    def parse(self, source: Source) -> Parsed:
        return Parsed(self.name, self._measure, None, self._rows(source))


def good_rows(source: Source) -> Iterator[Row]:
    for number, line in source.lines():
        if number == 1:
            continue
        name, _, count = line.partition(",")
        if (
            name.isascii()
            and name.isalpha()
            and len(name) < 50
            and count.isascii()
            and count.isdigit()
            and len(count) < 9
        ):
            if int(count):
                yield Row(2020, "F", name, int(count), number)
        else:
            source.problem("expected name,count", number)
    source.raise_problems()


def quoting(source: Source) -> Iterator[Row]:
    for row in good_rows(source):
        if row.count not in (5, 7):
            source.problem(f"a strange count for {row.name}", 1)
        yield row
    source.raise_problems()


def fragile(source: Source) -> Iterator[Row]:
    for number, line in source.lines():
        if number > 1:
            name, count = line.split(",")
            yield Row(2020, "F", name, int(count), number)


def twice(source: Source) -> Iterator[Row]:
    for row in good_rows(source):
        yield from (row, row)


def untidy(source: Source) -> Iterator[Row]:
    yield from (row._replace(name=f"{row.name} ") for row in good_rows(source))


class ByName(Office):
    def recognises(self, source: Source) -> bool:
        return source.filename == "names.csv"


class Anything(Office):
    def recognises(self, source: Source) -> bool:
        return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "names.csv"
    path.write_bytes(CONTENT)
    return path


def test_a_parser_that_keeps_the_contract_passes(path: Path) -> None:
    check_parser(Office(), path)


@pytest.mark.parametrize(
    ("parser", "said"),
    [
        (ByName(), "by its name only"),
        (Anything(), "is recognised, too"),
        (Office(measure="names"), "no such one"),
        (Office(twice), "the same name comes twice"),
        (Office(untidy), "not in normal form"),
        (Office(quoting), "an error quotes the file"),
    ],
)
def test_a_parser_that_breaks_the_contract_is_told_how(parser: Office, said: str, path: Path) -> None:
    with pytest.raises(AssertionError, match=said):
        check_parser(parser, path, mutations=2000)


def test_an_error_that_is_no_refusal_comes_through(path: Path) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        check_parser(Office(fragile), path)


@pytest.mark.parametrize("name", SAMPLES)
def test_our_own_parsers_keep_the_contract(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    path = tmp_path / sample.name
    path.write_bytes(sample.content)
    # All that such names say is lost where the file is looked at under another one.
    check_parser(ALL_PARSERS[name], path, mutations=20 if sample.sheets is None else 1)


def test_a_parser_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "my_parsers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-parsers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[affirm_worker.parsers]\njp = my_parsers_japan\nus = my_parsers_japan\n")
    (tmp_path / "my_parsers_japan.py").write_text(
        "from tests.unit.test_testkit import Office\n\nPARSERS = [Office()]\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    # A country that has no parsers, and one that has some.
    for country in ("JP", "US"):
        assert [row[:4] for row in parse_file(path, country).rows] == [(2020, "F", "Ada", 5), (2020, "F", "Grace", 7)]
    listed = json.loads(run("parsers", "list", "--json").stdout)
    assert [one["country"] for one in listed if not one["built_in"]] == ["JP", "US"]
