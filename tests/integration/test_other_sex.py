"""A swapped pair of files: their names say the sex, and the rows that are loaded already say another."""

import string
from pathlib import Path

import pytest

from tests.integration.command_line import Run, answer, runner


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def south_australia(folder: Path, name: str, begin: str, most: int) -> Path:
    path = folder / name
    names = "".join(f"{begin}{letter},{most - at},{at + 1}\n" for at, letter in enumerate(string.ascii_uppercase))
    path.write_text(f"Given Name,Amount,Position\n{names}", encoding="utf-8")
    return path


def test_a_swapped_pair_of_files_is_loaded_with_a_warning(run: Run, tmp_path: Path) -> None:
    for year, female, male in ((2015, "GIRL", "BOY"), (2016, "BOY", "GIRL")):
        for name, begin in ((f"female_cy{year}_top.csv", female), (f"male_cy{year}_top.csv", male)):
            run("load", south_australia(tmp_path, name, begin, year), "--country", "AU")
    warnings = {one["filename"]: one["warning"] for one in answer(run("datasets", "list", "--json"))}
    assert warnings["female_cy2015_top.csv"] is None
    assert warnings["male_cy2015_top.csv"] is None
    assert "26 of 26 of the most frequent names are mostly those of boys" in str(warnings["female_cy2016_top.csv"])
    [swapped] = [one for one in answer(run("datasets", "list", "--json")) if one["filename"] == "female_cy2016_top.csv"]
    assert "warning        only the file's name or the uploader says that these are girls" in run(
        "datasets", "show", swapped["id"]
    ).stdout.replace("\n", " ")
