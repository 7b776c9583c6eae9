"""An archive of several regions: refused as one dataset, and reported file by file."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.split import submit_split
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.hints import Action
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.requests import InvalidRequest
from services.client import Client
from services.submit import FileOptions, SubmittedFile
from tests.unit.command_line import run
from tests.unit.parsing import refusal, rows, zipped
from tests.unit.workbooks import xlsx

STATES = {
    "AK.TXT": "AK,F,1910,Mary,14\nAK,M,1910,John,8\n",
    "AL.TXT": "AL,F,1910,Mary,875\n",
    "StateReadMe.pdf": "%PDF-1.4",
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "namesbystate.zip"
    path.write_bytes(zipped(STATES))
    return path


def test_it_is_refused_with_the_way_to_load_it() -> None:
    error = refusal(zipped(STATES), "namesbystate.zip", "US")
    assert error.reason is Reason.SEVERAL_REGIONS
    assert "differ in their region, US-AK and US-AL: submit each of them as a dataset of its own" in str(error)
    assert [(hint.action, hint.country) for hint in error.hints] == [(Action.SUBMIT_SPLIT, "US")]


def test_an_archive_of_one_region_is_one_dataset() -> None:
    assert len(rows(zipped({"AK.TXT": STATES["AK.TXT"]}), "namesbystate.zip", "US")) == 2


def test_the_command_that_loads_it_is_printed(archive: Path) -> None:
    for arguments in ((), ("--report",)):
        done = run("parse", archive, "-c", "US", *arguments)
        assert done.exit_code == 65
        assert f"affirm-worker submit {archive} --country US --split" in done.output


def test_the_report_has_a_line_for_each_region(archive: Path) -> None:
    lines = [line.split() for line in run("parse", archive, "-c", "US", "--report").output.splitlines()]
    assert ["AK.TXT", "US-AK", "1910", "2", "22"] in lines
    assert ["AL.TXT", "US-AL", "1910", "1", "875"] in lines
    assert ["all", "3", "897"] in lines
    found = json.loads(run("parse", archive, "-c", "US", "--json").output)
    assert found["reason"] == "several_regions"
    assert [(one["file"], one["region"], one["total"]) for one in found["members"]] == [
        ("AK.TXT", "US-AK", 22),
        ("AL.TXT", "US-AL", 875),
    ]


def test_a_list_of_several_regions_is_reported_as_refused(tmp_path: Path) -> None:
    path = tmp_path / "dpt2021.csv"
    path.write_text("sexe;preusuel;annais;dpt;nombre\n1;PROBERT;2021;75;100\n1;PROBERT;2021;69;30\n")
    done = run("parse", path, "-c", "FR", "--report")
    assert done.exit_code == 65
    assert "refused: several_regions" in done.output
    assert f"affirm-worker submit {path} --country FR --split" in done.output


def test_a_bad_file_of_an_archive_is_named_in_the_report(tmp_path: Path) -> None:
    path = tmp_path / "states.zip"
    path.write_bytes(zipped({**STATES, "WY.TXT": "WY,F,1910,Mary,many\nWY,F,1910,Anna,5\n"}))
    lines = run("parse", path, "-c", "US", "--report").output.splitlines()
    assert any(line.startswith("WY.TXT") and "expected a whole number" in line for line in lines)


class Recording:
    """A client that only says what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, bytes]] = []

    def submit_files(self, paths: Sequence[Path], options: FileOptions) -> list[SubmittedFile]:
        self.given += [(path.name, path.read_bytes()) for path in paths]
        return [SubmittedFile(path) for path in paths]


def split(
    *files: Path, limits: Limits | None = None, country: str = "US"
) -> tuple[list[tuple[str, bytes]], list[SubmittedFile], list[str]]:
    client: Any = Recording()
    said: list[str] = []
    done: list[SubmittedFile] = []
    for file in files:
        options = FileOptions(country)
        done += submit_split(client, file, str(file), options, limits or Limits(), said.append)
    return client.given, [replace(one, path=Path(one.path)) for one in done], said


def test_each_text_file_is_submitted_under_its_own_name(archive: Path) -> None:
    given, done, said = split(archive)
    assert given == [(name, STATES[name].encode()) for name in ("AK.TXT", "AL.TXT")]
    assert [one.path for one in done] == [archive / "AK.TXT", archive / "AL.TXT"]
    assert said == [
        f"storing {archive}/AK.TXT (1 of 2); 1 other in the archive passed over",
        f"storing {archive}/AL.TXT (2 of 2)",
    ]


def test_other_files_stay_whole(tmp_path: Path) -> None:
    text, workbook, empty = tmp_path / "AK.TXT", tmp_path / "boys.xlsx", tmp_path / "empty.zip"
    text.write_text(STATES["AK.TXT"])
    workbook.write_bytes(xlsx({"A": [["Name"]]}))
    empty.write_bytes(b"")
    given, done, _ = split(text, workbook, empty)
    assert [name for name, _ in given] == ["AK.TXT", "boys.xlsx", "empty.zip"]
    assert [one.path for one in done] == [text, workbook, empty]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"a/AK.TXT": "x", "b/AK.TXT": "y", "../../AL.TXT": "z"}, None),
        ({"A\nK.TXT": "x"}, "must be a plain name"),
        ({"A" * 251 + ".TXT": "x"}, None),
        ({"é" * 200 + ".TXT": "x"}, "the name of a file in it is too long"),
        ({"read.me": "x"}, "no file in the archive ends in"),
    ],
)
def test_names_of_members_are_checked(tmp_path: Path, members: dict[str, str], said: str | None) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(members))
    given, done, _ = split(path)
    if said is None:
        assert [content.decode() for _, content in given] == [*members.values()]
        assert {Path(one.path).parent for one in done} == {path}
    else:
        assert given == []
        assert [said in str(one.refusal) for one in done] == [True]
    assert [*tmp_path.iterdir()] == [path]


def test_what_cannot_be_unpacked_stops_no_other_file(tmp_path: Path, archive: Path) -> None:
    cut, locked = tmp_path / "cut.zip", tmp_path / "many.zip"
    cut.write_bytes(archive.read_bytes()[:-30])
    locked.write_bytes(zipped({f"{number}.txt": "x" for number in range(5)}))
    given, done, _ = split(cut, tmp_path / "missing.zip", locked, archive, limits=Limits(zip_members=4))
    assert [isinstance(one.refusal, InvalidRequest) for one in done] == [True, True, True, False, False]
    assert [name for name, _ in given] == ["AK.TXT", "AL.TXT"]


def test_the_client_of_the_services_has_that_method() -> None:
    assert callable(Client.submit_file)


HEADINGS = "sexe;preusuel;annais;dpt;nombre\r\n"
DEPARTMENTS = (
    f"{HEADINGS}1;JEAN;1968;75;140\r\n1;JEAN;1968;69;30\r\n1;ZOË;1968;XX;9\r\n2;ANNE;1970;69;5\r\n2;ANNE;1970;2A;4\r\n"
)
LISTS = {
    "dpt2021-FR-2A.csv": f"{HEADINGS}2;ANNE;1970;2A;4\r\n",
    "dpt2021-FR-69.csv": f"{HEADINGS}1;JEAN;1968;69;30\r\n2;ANNE;1970;69;5\r\n",
    "dpt2021-FR-75C.csv": f"{HEADINGS}1;JEAN;1968;75;140\r\n",
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_list_of_several_regions_is_divided_into_a_file_for_each(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / ("dpt2021_csv.zip" if packed else "dpt2021.csv")
    file.write_bytes(zipped({"dpt2021.csv": DEPARTMENTS}) if packed else DEPARTMENTS.encode())
    given, done, said = split(file, country="fr")
    assert given == [(name, text.encode()) for name, text in LISTS.items()]
    shown = file / "dpt2021.csv" if packed else file
    assert [one.path for one in done] == [shown / name for name in LISTS]
    assert said == [f"storing {shown / name} ({number} of 3)" for number, name in enumerate(LISTS, 1)]
    for name, content in given:
        assert rows(content, name, "FR")
    assert sum(count for name, content in given for *_, count in rows(content, name, "FR")) == 140 + 30 + 5 + 4


def test_quoted_fields_of_a_divided_list_keep_their_quotes(tmp_path: Path) -> None:
    file = tmp_path / "dpt2021.csv"
    file.write_text(f'{HEADINGS}1;"JEAN";1968;75;1\n1;"A;B";1968;75;2\n2;ANNE;1970;69;5\n')
    given, _, _ = split(file, country="FR")
    assert given[1][1].decode().splitlines()[1:] == ["1;JEAN;1968;75;1", '1;"A;B";1968;75;2']


def test_a_list_of_one_region_stays_whole(tmp_path: Path) -> None:
    file = tmp_path / "dpt.csv"
    file.write_text(f"{HEADINGS}1;JEAN;1968;75;140\n")
    given, done, _ = split(file, country="FR")
    assert [name for name, _ in given] == ["dpt.csv"]
    assert [one.path for one in done] == [file]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1;JEAN;1969;7x;5", "line 7: expected a department, such as 01, 2A or 971"),
        ("1;JEAN;1969;75", "line 7: expected 5 fields, found 4"),
    ],
)
def test_a_list_that_is_malformed_is_submitted_in_no_part(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "dpt2021.csv"
    file.write_text(f"{DEPARTMENTS}{line}\r\n", newline="")
    given, done, _ = split(file, country="FR")
    assert given == []
    assert [said in str(one.refusal) for one in done] == [True]


def test_a_name_that_leaves_no_place_for_the_region_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ("d" * 240 + ".csv")
    file.write_text(DEPARTMENTS)
    given, done, _ = split(file, country="FR")
    assert given == []
    assert "the name is too long for one with the region" in str(done[0].refusal)


def test_the_command_that_divides_a_list_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "dpt2021.csv"
    file.write_text(DEPARTMENTS)
    done = run("parse", file, "-c", "FR")
    assert done.exit_code == 65
    assert f"affirm-worker submit {file} --country FR --split" in done.output
