"""A broken package with parsers costs its own formats and nothing else, and is named in one line."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Rejected
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers import further_parsers_of, package_import, parse_file
from tests.fakes.packages import good, make_package
from tests.unit.command_line import run

SET_FOR_MAPPING = """
from parser_runner.parsers.long import Rules

RULES = Rules(
    no_names={"others"},
)
"""
CAPITALS = 'from parser_runner.parsers.tables import Columns\nColumns(name=("Vorname",), count=("anzahl",))\n'
A_TEXT = 'from parser_runner.parsers.tables import Columns\nColumns(name="vorname", count=("anzahl",))\n'
RAISES_AT_FILES = """
class Office:
    name, description = "li-office", "a list"

    def recognise(self, source):
        return source.head()[10 ** 6]

    def parse(self, source, match): ...

PARSERS = [Office()]
"""
BROKEN = {
    "a name that is not there": ("\nTextList()\n", "{m}, line 2: NameError: name 'TextList' is not defined"),
    "a call of sys.exit": ("import sys\nsys.exit(3)\n", "{m}, line 2: SystemExit: 3"),
    "no such module": (None, "{m}: ModuleNotFoundError: No module named '{m}'"),
    "bad syntax": ("PARSERS = [\n", "{m}.py, line 1: SyntaxError: '[' was never closed"),
    "no list": ("PARSERS = None\n", "{m}: expected PARSERS, a list of parsers, found none"),
    "a class": ("class Office: ...\nPARSERS = [Office]\n", "{m}: PARSERS has the class Office: expected Office()"),
    "no name": ("PARSERS = [object()]\n", "{m}: a parser (object) has no text as its name"),
    "a set for a mapping": (
        SET_FOR_MAPPING,
        "{m}, line 4: TypeError: Rules: no_names is a set: expected a mapping from the text of a cell to a reason, such"
        ' as {{"total": "totals"}}',
    ),
    "headings in capitals": (
        CAPITALS, "{m}, line 2: ValueError: Columns: no heading ever equals 'Vorname' of name: write 'vorname'",
    ),
    "a text for headings": (
        A_TEXT, "{m}, line 2: TypeError: Columns: name='vorname': expected a tuple of headings, such as ('name',)",
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A folder on sys.path whose modules are forgotten when the test ends."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    request.addfinalizer(lambda: [sys.modules.pop(name) for name in set(sys.modules) - before if "office" in name])
    return tmp_path


def names_csv(folder: Path, heading: str = "First name") -> Path:
    path = folder / "names 2020 girls.csv"
    path.write_text(f"Girls born in 2020\n{heading},Births\nAda,5\n")
    return path


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_package_is_one_line(folder: Path, fault: str) -> None:
    text, said = BROKEN[fault]
    make_package(folder, "broken-office", text)
    make_package(folder, "good-office", good("li-good"))
    done = run("parsers", "list", "--country", "LI", "--json")
    assert done.exit_code == 0
    assert [(one["format"], one["package"]) for one in json.loads(done.stdout)] == [("li-good", "good-office")]
    expected = said.format(m="broken_office")
    assert done.stderr == f"affirm-worker: warning: package broken-office, parsers of LI: {expected}\n"


def test_what_a_package_prints_is_no_output(folder: Path) -> None:
    make_package(folder, "loud-office", "print('hello')\n" + good("li-loud"))
    done = run("parsers", "list", "--country", "LI", "--json")
    assert [one["format"] for one in json.loads(done.stdout)] == ["li-loud"]


def test_an_import_that_hangs_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_import, "IMPORT_SECONDS", 0.05)
    make_package(folder, "slow-office", "import threading\nthreading.Event().wait(30)\n")
    [broken] = further_parsers_of("LI").broken
    assert str(broken) == "package slow-office, parsers of LI: slow_office: its import takes longer than 0 s"


@pytest.mark.parametrize(
    ("country", "format_", "owner"), [("LI", "li-a", "a-office"), ("US", "us-nyc", "affirm-worker")]
)
def test_a_name_that_is_taken_is_not_used_twice(folder: Path, country: str, format_: str, owner: str) -> None:
    if owner != "affirm-worker":
        make_package(folder, owner, good(format_), country)
    make_package(folder, "b-office", good(format_), country)
    found = further_parsers_of(country)
    assert [one.package for one in found.parsers] == [owner] * (owner != "affirm-worker")
    assert [one.problem for one in found.broken] == [
        f"b_office: format {format_} is the one of package {owner} already, and is not used"
    ]


def test_a_file_that_a_broken_package_may_know_is_not_refused(folder: Path) -> None:
    make_package(folder, "broken-office", "\nTextList()\n")
    make_package(folder, "good-office", good("li-good", "given name"))
    with pytest.raises(Misconfigured, match=r"one is broken: package broken-office, .*line 2: NameError") as raised:
        parse_file(names_csv(folder), "LI")
    assert raised.value.reason is Reason.CONFIG
    assert len([*parse_file(names_csv(folder, "Given name"), "LI").rows]) == 1


def test_a_fixed_package_reads_the_file(folder: Path) -> None:
    make_package(folder, "fixed-office", "\nTextList()\n")
    with pytest.raises(Misconfigured):
        parse_file(names_csv(folder), "LI")
    make_package(folder, "fixed-office", good("li-fixed"))
    assert len([*parse_file(names_csv(folder), "LI").rows]) == 1


def test_a_parser_that_raises_at_other_files_harms_none(folder: Path) -> None:
    make_package(folder, "raising-office", RAISES_AT_FILES)
    make_package(folder, "silent-office", good("li-silent"))
    assert len([*parse_file(names_csv(folder), "LI").rows]) == 1
    with pytest.raises(Misconfigured, match="raising_office, line 6: recognise of li-office raises IndexError"):
        parse_file(names_csv(folder, "Other name"), "LI")


def test_an_empty_file_is_refused_whatever_is_broken(folder: Path) -> None:
    make_package(folder, "broken-office", "\nTextList()\n")
    path = folder / "empty.csv"
    path.write_bytes(b"")
    with pytest.raises(Rejected, match="the file is empty"):
        parse_file(path, "LI")


def test_a_working_format_that_was_given_is_what_refuses(folder: Path) -> None:
    make_package(folder, "broken-office", "\nTextList()\n")
    make_package(folder, "good-office", good("li-good"))
    with pytest.raises(Rejected, match="this is not li-good"):
        parse_file(names_csv(folder, "Other name"), "LI", FileHints(format="li-good"))


def test_the_title_or_the_separator_that_was_missed_is_named(folder: Path) -> None:
    declared = good("li-titled").replace(
        '",\n        desc', '",\n        title="office of names",\n        delimiters=";",\n        desc'
    )
    make_package(folder, "titled-office", declared)
    with pytest.raises(Rejected) as raised:
        parse_file(names_csv(folder), "LI")
    assert "separated by commas and not by semicolons; no title with the words office of names" in str(raised.value)


def test_a_broken_package_harms_no_archive_with_other_texts(folder: Path) -> None:
    make_package(folder, "broken-office", "\nTextList()\n", "US")
    path = folder / "names.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("yob2020.txt", "Ada,F,5\nGrace,F,7\n")
        archive.writestr("readme.txt", "These are the names of the year\nof the office\n")
    assert len([*parse_file(path, "US").rows]) == 2
