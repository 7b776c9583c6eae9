"""What goes with a dataset, and what counts then, in words."""

from datetime import UTC, datetime
from uuid import UUID

from dataset_jobs.store.client_connection import Row
from dataset_jobs.store.views import DatasetView
from services.deletions import deletion_of, question

OLD, OLDER = UUID(int=1), UUID(int=2)


def dataset(years: list[int], sexes: str = "FM", region: str | None = None) -> DatasetView:
    return DatasetView(
        id=UUID(int=9), country="US", filename="yob1990.txt", status="completed", row_count=24_719, total_count=1,
        parser="us_ssa", measure="births", region=region, top=None, years=years, sexes=[*sexes], supersedes=[],
        superseded_by=[], superseded=False, year_hint=None, sex_hint=None, format_hint=None, region_hint=None,
        description=None, size=144_000, sha256="", storage_uri="", error=None, warning=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC), loaded_at=datetime(2026, 1, 1, tzinfo=UTC), number=1234,
    )  # fmt: skip


def rows(of: UUID | None, years: range, sexes: str = "FM") -> list[Row]:
    number, name = (None, None) if of is None else (of.int, f"old{of.int}.zip")
    return [{"id": of, "number": number, "filename": name, "year": year, "sex": sex} for year in years for sex in sexes]


def said(of: DatasetView, found: list[Row], jobs: int = 2) -> list[str]:
    return [str(one) for one in question(of, deletion_of(of, found, jobs))]


def test_a_deletion_says_what_goes() -> None:
    assert said(dataset([1990]), rows(None, range(1990, 1991)), 1) == [
        "delete dataset 1,234 (yob1990.txt, US) with its 24,719 rows, its 1 job and its file of 144,000 bytes?",
        "nothing would be left of the names of 1990 (US): no other dataset has them",
    ]


def test_a_deletion_names_what_counts_then() -> None:
    found = [
        *rows(OLD, range(1990, 1993)),
        *rows(OLDER, range(1994, 1996), "F"),
        *rows(None, range(1994, 1996), "M"),
    ]
    assert said(dataset([1990, 1991, 1992, 1993, 1994, 1995], region="US-CA"), found)[1:] == [
        "the names of 1990 to 1992 (US-CA) would then come from old1.zip (dataset 1)",
        "the names of 1994 to 1995 (girls, US-CA) would then come from old2.zip (dataset 2)",
        "nothing would be left of the names of 1994 to 1995 (boys, US-CA): no other dataset has them",
        "nothing changes for the names of 1993 (US-CA): another dataset counts already",
    ]


def test_a_deletion_is_data_for_programs() -> None:
    found = deletion_of(dataset([1990, 1991]), [*rows(OLD, range(1990, 1992)), *rows(OLDER, range(1992, 1993))], 3)
    assert (found.rows, found.jobs, found.would_count_instead) == (24_719, 3, [OLD, OLDER])
    assert [(one.filename, one.years, one.sexes) for one in found.successors] == [
        ("old1.zip", [1990, 1991], ("F", "M")),
        ("old2.zip", [1992], ("F", "M")),
    ]


def test_without_rows_only_the_file_goes() -> None:
    assert len(said(dataset([]), [])) == 1
