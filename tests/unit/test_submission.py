"""What may be submitted."""

import hashlib
import io
import os

import pytest

from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.requests import InvalidRequest
from services.submission import checked_sex, read_submission


def test_hash_and_size_are_those_of_the_bytes() -> None:
    content = b"x" * (3 << 20)
    submission = read_submission(io.BytesIO(content), "yob2023.txt", FileHints(year=2023, sex="f"))
    assert (submission.sha256, submission.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (submission.filename, submission.hints.year, submission.hints.sex) == ("yob2023.txt", 2023, "F")


@pytest.mark.parametrize("given", ["F", "f", "female", "Female", " FEMALE "])
def test_sex_may_be_written_in_several_ways(given: str) -> None:
    assert checked_sex(given) == "F"


@pytest.mark.parametrize(
    ("filename", "year", "sex"),
    [
        ("", None, None),
        (".", None, None),
        ("a/b.txt", None, None),
        ("a\\b.txt", None, None),
        ("a\nb.txt", None, None),
        ("a\0b.txt", None, None),
        ("a\udcffb.txt", None, None),
        ("x" * 256, None, None),
        ("a.txt", 1799, None),
        ("a.txt", 2101, None),
        ("a.txt", None, "x"),
        ("a.txt", None, ""),
    ],
)
def test_what_cannot_be_is_refused(filename: str, year: int | None, sex: str | None) -> None:
    with pytest.raises(InvalidRequest):
        read_submission(io.BytesIO(b""), filename, FileHints(year=year, sex=sex))


def test_a_name_that_is_not_utf_8_is_shown_by_its_bytes() -> None:
    with pytest.raises(InvalidRequest, match=r"^file name 'yob2019\\xff.txt': it is not UTF-8; rename the file"):
        read_submission(io.BytesIO(b""), os.fsdecode(b"yob2019\xff.txt"))


@pytest.mark.parametrize(
    "filename",
    [
        "yob2023.txt",
        "CA.TXT",
        "Prénoms 2023 (définitif).csv",
        "名前.csv",
        "👩‍👧 2023.csv",
        "Top\u00a0100.xlsx",
        "名" * 255,
    ],
)
def test_publishers_names_are_taken_as_they_are(filename: str) -> None:
    assert read_submission(io.BytesIO(b""), filename).filename == filename
