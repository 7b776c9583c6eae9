"""The figures at the end of a chaos."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Figures:
    """The result of a chaos, in one line; everything but the first two must be 0.

    Args:
        runs: tries at a job that were claimed.
        faults: of runs, of controllers and of clients.
        lost: datasets without their rows, or with only some, although nothing justifies it.
        duplicated: datasets with rows too many, jobs that were committed twice.
        cap_violations: samples that found more runs than the maximum, or a live pod whose run was released.
        stuck: jobs that did not end, and runs that did not free their slots.
        wrongly_rejected: runs that rejected a good file.
        wrongly_failed: jobs that failed although their faults do not add up to it.
        wrongly_retried: runs that ended for another reason than any of their faults, rejected files tried again.
    """

    runs: int = 0
    faults: int = 0
    lost: int = 0
    duplicated: int = 0
    cap_violations: int = 0
    stuck: int = 0
    wrongly_rejected: int = 0
    wrongly_failed: int = 0
    wrongly_retried: int = 0

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(mine + its for mine, its in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    @property
    def good(self) -> bool:
        """Nothing was found."""
        return not any(value for name, value in asdict(self).items() if name not in ("runs", "faults"))
