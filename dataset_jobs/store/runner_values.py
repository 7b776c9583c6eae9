"""What a runner is told of its run, and what it says of its load."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dataset_jobs.model.coverage import Covered


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs it. `uid` is the pod's on Kubernetes, and unlike any other elsewhere."""

    uid: str
    pod_name: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a run has to load, as its job and dataset say."""

    job_type: str
    attempt: int
    dataset_id: UUID
    dataset_key: int
    country: str
    country_id: UUID
    filename: str
    storage_uri: str
    sha256: str
    size: int
    year_hint: int | None
    sex_hint: str | None
    supersedes: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load put into `names`, and what is said of it on the dataset.

    Args:
        parser: the name of the file's format.
        measure: births or population.
        region: the part of the country, None where it is the whole.
        top: how many names of a year and sex are listed at the most; None where all are.
        coverage: every year and sex that there are rows of, each once.
    """

    parser: str
    measure: str
    region: str | None
    top: int | None
    coverage: Sequence[Covered]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(one.rows for one in self.coverage)

    @property
    def total(self) -> int:
        """The sum of their counts."""
        return sum(one.total for one in self.coverage)
