"""Why a run ended, and what each cause counts as."""

from enum import StrEnum


class CountsAs(StrEnum):
    """Which budget a cause uses up."""

    ATTEMPT = "attempt"
    """The run ended by its own fault: one of the job's attempts is used."""
    INTERRUPTION = "interruption"
    """The infrastructure ended the run: one of the job's interruptions is used."""
    NEITHER = "neither"
    """No budget is used."""


class Cause(StrEnum):
    """What a run came to. Every run that has ended has exactly one."""

    COMPLETED = "completed"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    FORBIDDEN = "forbidden"
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    DISK_FULL = "disk_full"
    CRASHED = "crashed"
    LEFT_WITHOUT_COMMIT = "left_without_commit"
    EVICTED = "evicted"
    PREEMPTED = "preempted"
    NODE_SHUTDOWN = "node_shutdown"
    NODE_LOST = "node_lost"
    SHUT_DOWN = "shut_down"
    VANISHED = "vanished"
    CANNOT_START = "cannot_start"
    LOST_LEASE = "lost_lease"
    CANCELLED = "cancelled"

    @property
    def counts_as(self) -> CountsAs:
        """Which budget this cause uses up."""
        return _COUNTS_AS.get(self, CountsAs.ATTEMPT)


class Reason(StrEnum):
    """The finer word within a cause, if it has one."""

    # rejected: the input is at fault, and the same input can only fail again
    INVALID_FORMAT = "invalid_format"
    INVALID_FILENAME = "invalid_filename"
    CONTRADICTORY = "contradictory"
    UNDECIDED = "undecided"
    SEVERAL_REGIONS = "several_regions"
    OVERLAPPING = "overlapping"
    NO_PARSER = "no_parser"
    DATASET_NOT_FOUND = "dataset_not_found"
    FILE_NOT_FOUND = "file_not_found"
    FILE_CHANGED = "file_changed"
    TOO_LARGE = "too_large"
    # unavailable and forbidden: what could not be reached
    DATABASE = "database"
    STORAGE = "storage"
    TEMPORARY_IO = "temporary_io"
    # cannot_start: what keeps the pod from starting
    IMAGE = "image"
    CONFIG = "config"
    QUOTA = "quota"
    REFUSED = "refused"
    UNSCHEDULABLE = "unschedulable"


def cause_of(word: str | None) -> Cause | None:
    """The cause of that name; None for one that a newer version may know."""
    return next((cause for cause in Cause if cause == word), None)


def reason_of(word: str | None) -> Reason | None:
    """The reason of that name; None for one that a newer version may know."""
    return next((reason for reason in Reason if reason == word), None)


def cause_in_words(cause: str | None, reason: str | None) -> str | None:
    """A cause with its reason, if it has one."""
    return f"{cause} ({reason})" if reason else cause


_COUNTS_AS = {
    Cause.COMPLETED: CountsAs.NEITHER,
    Cause.FORBIDDEN: CountsAs.NEITHER,
    Cause.EVICTED: CountsAs.INTERRUPTION,
    Cause.PREEMPTED: CountsAs.INTERRUPTION,
    Cause.NODE_SHUTDOWN: CountsAs.INTERRUPTION,
    Cause.NODE_LOST: CountsAs.INTERRUPTION,
    Cause.SHUT_DOWN: CountsAs.INTERRUPTION,
    Cause.VANISHED: CountsAs.INTERRUPTION,
    Cause.CANNOT_START: CountsAs.NEITHER,
    Cause.LOST_LEASE: CountsAs.NEITHER,
    Cause.CANCELLED: CountsAs.NEITHER,
}
