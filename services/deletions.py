"""What goes with a dataset that is deleted, and what counts then: as data, and in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.sentences import Sentence, counted, sentence
from dataset_jobs.store.client_connection import Row
from dataset_jobs.store.views import DatasetView
from services.dataset_words import sex_in_words


@dataclass(frozen=True, slots=True)
class Successor:
    """What counts for some years if a dataset is deleted.

    Args:
        dataset_id, number, filename: of the dataset that counts again; None if nothing would be left of them.
        years, sexes: for which. Ascending.
    """

    dataset_id: UUID | None
    number: int | None
    filename: str | None
    years: Sequence[int]
    sexes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What goes with a dataset.

    Args:
        rows: of names that are deleted.
        years: that it has rows of.
        would_count_instead: the datasets that it has superseded, and that count again.
        successors: what counts then, for all the years and sexes for which this one counts.
        jobs: of the dataset, that go too.
    """

    rows: int
    years: Sequence[int]
    would_count_instead: Sequence[UUID]
    successors: Sequence[Successor] = ()
    jobs: int = 0


def deletion_of(dataset: DatasetView, rows: Iterable[Row], jobs: int) -> Deletion:
    """What goes with a dataset.

    Args:
        rows: of `coverage.counting_without`.
        jobs: how many it has.
    """
    found = _successors(rows)
    again = dict.fromkeys(one.dataset_id for one in found if one.dataset_id is not None)
    return Deletion(dataset.row_count or 0, dataset.years or (), [*again], found, jobs)


def question(dataset: DatasetView, found: Deletion) -> list[Sentence]:
    """What a person is asked before a dataset is deleted: first the question, then what would come of it."""
    rows, jobs = counted(found.rows, "row"), counted(found.jobs, "job")
    asked = sentence(
        f"delete dataset {dataset.number:,} ({{}}, {dataset.country}) with its {rows}, its {jobs} and its file of"
        f" {dataset.size:,} bytes?",
        dataset.filename,
    )
    return [asked, *(_then(dataset, one) for one in found.successors), *_others(dataset, found)]


def _then(dataset: DatasetView, one: Successor) -> Sentence:
    of = _names(dataset, one.years, one.sexes)
    if one.dataset_id is None:
        return sentence(f"nothing would be left of the {of}: no other dataset has them")
    return sentence(f"the {of} would then come from {{}} (dataset {one.number:,})", one.filename)


def _others(dataset: DatasetView, found: Deletion) -> Iterable[Sentence]:
    """The years for which others count already."""
    counts = {year for one in found.successors for year in one.years}
    if others := [year for year in found.years if year not in counts]:
        yield sentence(f"nothing changes for the {_names(dataset, others, ())}: another dataset counts already")


def _names(dataset: DatasetView, years: Iterable[int], sexes: Sequence[str]) -> str:
    """Which names, with the sexes where they are not all that the dataset has."""
    whose = [dataset.country if dataset.region is None else dataset.region]
    if [*sexes] != dataset.sexes and sexes:
        whose = [*(sex_in_words(sex, dataset.measure) for sex in sexes), *whose]
    return f"names of {years_in_words(years)} ({', '.join(whose)})"


def _successors(rows: Iterable[Row]) -> Sequence[Successor]:
    """Each dataset with all that it counts for again, together where the sexes are the same."""
    datasets: dict[UUID | None, Row] = {}
    sexes: dict[tuple[UUID | None, int], tuple[str, ...]] = {}
    years: dict[tuple[UUID | None, tuple[str, ...]], list[int]] = {}
    for row in rows:
        datasets[row["id"]] = row
        key = row["id"], row["year"]
        sexes[key] = (*sexes.get(key, ()), row["sex"])
    for (dataset, year), of in sexes.items():
        years.setdefault((dataset, of), []).append(year)
    return [
        Successor(dataset, datasets[dataset]["number"], datasets[dataset]["filename"], its, of)
        for (dataset, of), its in years.items()
    ]
