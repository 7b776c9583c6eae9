"""The values that a runner gets for its run, and those that it reports on its load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.report import Report


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs it.

    Args:
        uid: the pod's on Kubernetes, and unlike any other elsewhere.
        pod_name, node: where it is.
        secret: proves that the run is this runner's; from the controller.
    """

    uid: str
    pod_name: str | None = None
    node: str | None = None
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a run has to load, as its job and dataset say."""

    job_type: str
    attempt: int
    dataset_id: UUID
    dataset_key: int
    country: str
    filename: str
    storage_uri: str
    sha256: str
    size: int
    year_hint: int | None
    sex_hint: str | None
    format_hint: str | None
    region_hint: str | None
    description: str | None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Reads the answer of the database."""
        return cls(**{**answer, "dataset_id": UUID(answer["dataset_id"])})

    @property
    def hints(self) -> FileHints:
        """What the uploader says of the file."""
        return FileHints(
            year=self.year_hint,
            sex=self.sex_hint,
            format=self.format_hint,
            region=self.region_hint,
            description=self.description,
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rows that a load put into `names`, and their description on the dataset.

    Args:
        parser: the name of the file's format.
        measure: births or population.
        region: the part of the country, None if it is the whole.
        top: the most names listed for a year and sex; None if all are.
        coverage: every year and sex that there are rows of, each once.
        warning: what may be wrong with the rows; None if nothing was seen.
        report: of the reading that gave the rows; None if none was made.
    """

    parser: str
    measure: str
    region: str | None
    top: int | None
    coverage: Sequence[Covered]
    warning: str | None = None
    report: Report | None = None

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(one.rows for one in self.coverage)

    @property
    def total(self) -> int:
        """The sum of their counts."""
        return sum(one.total for one in self.coverage)

    def as_dict(self) -> dict[str, Any]:
        """As the database takes it."""
        return {
            "rows": self.rows,
            "total": self.total,
            "parser": self.parser,
            "region": self.region,
            "measure": self.measure,
            "top": self.top,
            "warning": self.warning,
            "report": None if self.report is None else self.report.beside_the_rows(),
            "coverage": [
                {"year": one.year, "gender": one.gender, "rows": one.rows, "total": one.total} for one in self.coverage
            ],
        }
