"""The test kit: parsers that keep the contract pass, and ways to break it are told. Parsers of other packages."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dataset_jobs.model.errors import Rejected
from parser_runner.parsers import Parsed, Row, Source, declared, long, parse_file, year_and_sex
from parser_runner.parsers.testkit import check_parser
from tests.fakes.plugin import install
from tests.unit.command_line import run
from tests.unit.samples import ALL_PARSERS, SAMPLES
from tests.unit.workbooks import xlsx

CONTENT = b"Office of Names\nAda,5\nGrace,7\n"


class Office:
    """Keeps the contract; a test replaces one of its parts to break it."""

    name = "jp-office"
    description = "lines of name,count below the title Office of Names"

    def __init__(self, rows: Callable[[Source], Iterator[Row]] | None = None, measure: str = "births") -> None:
        self._rows = rows or good_rows
        self._measure = measure

    def recognise(self, source: Source) -> bool | None:
        return source.head().startswith(b"Office of Names\n") or None

    def parse(self, source: Source, match: bool) -> Parsed:
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


def quoting(source: Source) -> Iterator[Row]:
    for row in good_rows(source):
        if row.count not in (5, 7):
            source.problem(f"a strange count for {row.name}", 1)
        yield row


def fragile(source: Source) -> Iterator[Row]:
    for number, line in source.lines():
        if number > 1:
            name, count = line.split(",")
            yield Row(2020, "F", name, int(count), number)


def silent(source: Source) -> Iterator[Row]:
    """Passes over every line that is no row."""
    for number, line in source.lines():
        name, _, count = line.partition(",")
        if name.isascii() and name.isalpha() and re.fullmatch("[1-9][0-9]{0,7}", count):
            yield Row(2020, "F", name, int(count), number)


def twice(source: Source) -> Iterator[Row]:
    for row in good_rows(source):
        yield from (row, row)


def untidy(source: Source) -> Iterator[Row]:
    yield from (row._replace(name=f"{row.name} ") for row in good_rows(source))


class ByName(Office):
    def recognise(self, source: Source) -> bool | None:
        return source.filename == "names.csv" or None


class Anything(Office):
    def recognise(self, source: Source) -> bool | None:
        return True


class SaysFalse(Office):
    """Gives False, not None, for a file of another format."""

    def recognise(self, source: Source) -> bool | None:
        return source.head().startswith(b"Office of Names\n")


class Former:
    """Has the former interface."""

    name = "jp-former"
    description = Office.description

    def recognises(self, source: Source) -> bool:
        return source.head().startswith(b"Office of Names\n")

    def parse(self, source: Source) -> Parsed:
        return Parsed(self.name, "births", None, good_rows(source))


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
        (SaysFalse(), "is recognised, too"),
        (Office(measure="names"), "no such one"),
        (Office(twice), "the same name comes twice"),
        (Office(untidy), "not in normal form"),
        (Office(quoting), "an error quotes the file"),
        (Office(silent), "a broken record in the middle is passed over"),
    ],
)
def test_a_parser_that_breaks_the_contract_is_told_how(parser: Office, said: str, path: Path) -> None:
    with pytest.raises(AssertionError, match=said):
        check_parser(parser, path, mutations=2000)


def test_a_noted_problem_refuses_the_file(path: Path) -> None:
    """No parser has to remember it: `Office` only notes problems, and here two of four lines have one."""
    path.write_bytes(CONTENT + b"Mary Ann\nJoan,x\n")
    with pytest.raises(AssertionError, match=r"the file is refused: .*, line 4: expected name,count"):
        check_parser(Office(), path)


def test_an_error_that_is_no_refusal_comes_through(path: Path) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        check_parser(Office(fragile), path)


@pytest.mark.parametrize("name", SAMPLES)
def test_our_own_parsers_keep_the_contract(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    path = tmp_path / sample.name
    path.write_bytes(sample.content)
    # All that such names say is lost where the file is looked at under another one.
    mutations = 20 if sample.sheets is None else 1
    check_parser(ALL_PARSERS[name], path, sample.hints.year, region=sample.hints.region, mutations=mutations)


def test_the_parser_of_the_documentation_keeps_the_contract(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "adding-a-parser.md"
    [code] = [
        block for block in re.findall(r"(?s)```python\n(.*?)```", page.read_text(encoding="utf-8")) if "class" in block
    ]
    found: dict[str, Any] = {}
    exec(code, found)
    path = tmp_path / "girls.xlsx"
    path.write_bytes(xlsx({"S": [["Girls born in 2020"], ["Name", "Births"], ["Ada", 5], ["Grace", 7], ["Joan", 9]]}))
    check_parser(found["Sheets"](), path, mutations=5)


def test_a_parser_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, __name__, "JP", "US")
    # A country that has no parsers, and one that has some.
    for country in ("JP", "US"):
        assert [row[:4] for row in parse_file(path, country).rows] == [(2020, "F", "Ada", 5), (2020, "F", "Grace", 7)]
    listed = json.loads(run("parsers", "list", "--json").stdout)
    assert [one["country"] for one in listed if not one["built_in"]] == ["JP", "US"]


def test_a_parser_of_the_former_interface_still_works(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, f"{__name__}:{Packaged.__name__}", "JP")
    with pytest.warns(DeprecationWarning, match="^jp-former: "):
        check_parser(Former(), path)
    with pytest.warns(DeprecationWarning, match="^jp-former: "):
        parsed = parse_file(path, "JP")
    assert parsed.parser == "jp-former"
    assert [row[:4] for row in parsed.rows] == [(2020, "F", "Ada", 5), (2020, "F", "Grace", 7)]
    path.write_bytes(CONTENT + b"Joan,x\n")
    with pytest.warns(DeprecationWarning, match="^jp-former: "), pytest.raises(Rejected):
        list(parse_file(path, "JP").rows)


def test_modules_are_found_by_their_former_names() -> None:
    from parser_runner.parsers.lists import Rules, read_list
    from parser_runner.parsers.said import check_year, refuse_sex_hint, sex_in, the_sex, the_year
    from parser_runner.parsers.text_lists import TextList

    assert (Rules, read_list, TextList) == (long.Rules, long.read_list, declared.TextList)
    assert (the_year, the_sex, sex_in) == (year_and_sex.resolve_year, year_and_sex.resolve_sex, year_and_sex.detect_sex)
    assert (check_year, refuse_sex_hint) == (year_and_sex.check_year, year_and_sex.refuse_sex_hint)


class Packaged:
    """A module of a package with a parser of the former interface."""

    PARSERS: ClassVar = [Former()]


PARSERS = [Office()]
"""Of a package that `install` makes of this module."""
