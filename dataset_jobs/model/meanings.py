"""What states, causes and exit codes mean, in words for people: docs/states.md and `affirm-worker help` show them.

Backticks mark words of the model and commands.
"""

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.states import DatasetStatus, JobState

DATASET_STATUSES = {
    DatasetStatus.PENDING: (
        "Stored and waiting for its job: the first try or a later one. No rows. After a cancelled first parse it "
        "stays here, without an unfinished job, until it is submitted again or its job is retried."
    ),
    DatasetStatus.PROCESSING: "A run is loading it. No rows can be seen until the run commits.",
    DatasetStatus.COMPLETED: (
        "All of its rows are loaded. If a later reprocess failed, the old rows are still loaded, and the dataset's "
        "error says why."
    ),
    DatasetStatus.FAILED: "Its job failed, and there are no rows. The error names the file, the line and the reason.",
    DatasetStatus.REPROCESSING: (
        "A run is loading it again. Readers see the old rows until the new ones replace them in one moment."
    ),
}

JOB_STATES = {
    JobState.SCHEDULED: (
        "Waits for a time: the submitter's, a retry's, or that of the next try after a run that could "
        "not start. A change of its time makes it due at once."
    ),
    JobState.QUEUED: "May be claimed at once, as soon as its pool has a free slot.",
    JobState.RUNNING: "Claimed: it has a run, which is being launched, is at work, or is over and not yet settled.",
    JobState.COMPLETED: "The rows are committed. The same transaction has completed the dataset.",
    JobState.FAILED: (
        "Given up: the input is at fault, or a budget is used up. Its explanation says why and what to do; a retry "
        "gives it fresh budgets."
    ),
    JobState.CANCELLED: ("Somebody has cancelled it. It can be retried."),
}

CAUSES = {
    Cause.COMPLETED: "The runner has committed.",
    Cause.REJECTED: (
        "The input is at fault: `invalid_format`, `invalid_filename`, `contradictory`, `undecided`, "
        "`several_regions`, `overlapping`, `no_parser`, `dataset_not_found`, `file_not_found`, `file_changed` or "
        "`too_large`."
    ),
    Cause.UNAVAILABLE: (
        "`database` or `storage` did not answer, or broke off; or the runner's machine failed (`temporary_io`): its "
        "disk was full or could not be read or written, or it gave no more open files, processes or threads."
    ),
    Cause.FORBIDDEN: "`storage` or `database` refused the runner: a matter of its credentials.",
    Cause.OUT_OF_MEMORY: (
        "The runner was killed at its memory limit; or it says that the machine gave it no memory, or has killed "
        "the process that parses or reads workbooks."
    ),
    Cause.TIMED_OUT: "The runner was still at work at its deadline.",
    Cause.DISK_FULL: "The pod was over its own limit of local disk.",
    Cause.CRASHED: (
        "An unforeseen error, a signal, or an exit code without a report. A pod that ends so before it has taken "
        "the run is no runner: `cannot_start` (`image`)."
    ),
    Cause.LEFT_WITHOUT_COMMIT: "The runner exited with code 0, but has committed nothing.",
    Cause.EVICTED: (
        "The pod was evicted: its node was drained, or ran short of resources; or it was ended for a deadline that "
        "had not come, because its node's clock was changed."
    ),
    Cause.PREEMPTED: "The pod made room for one of higher priority.",
    Cause.NODE_SHUTDOWN: "The pod's node shut down.",
    Cause.NODE_LOST: "Nothing is heard of the pod's node any more, nor of the runner.",
    Cause.SHUT_DOWN: "The controller stopped the runner, or is itself gone and its child with it.",
    Cause.VANISHED: "Somebody deleted the Job or the pod.",
    Cause.CANNOT_START: (
        "The run could not begin: `image`, `config` (a setting, a package that is not installed, or an init "
        "container that fails), `quota`, `refused` or `unschedulable`."
    ),
    Cause.LOST_LEASE: "The runner found that another run owns the job.",
    Cause.CANCELLED: "Somebody has cancelled the job.",
}
"""What has happened."""

NEXT = {
    Cause.COMPLETED: "The job is completed already; the run is closed and its slot is free.",
    Cause.REJECTED: "Failed at once: the same input can only fail again.",
    Cause.UNAVAILABLE: (
        "Retry. If the runner never reached the database it has not taken the run: as `cannot_start`, and no "
        "attempt is used. If Postgres was restarted since the run was claimed: queued at once, as an interruption."
    ),
    Cause.FORBIDDEN: "As `cannot_start`.",
    Cause.OUT_OF_MEMORY: (
        "Retry with twice the memory, up to the pool's ceiling. If the cluster refuses that three times in a row, "
        "the next run has half of it again."
    ),
    Cause.TIMED_OUT: "Retry.",
    Cause.DISK_FULL: "Retry.",
    Cause.CRASHED: "Retry.",
    Cause.LEFT_WITHOUT_COMMIT: "Retry.",
    Cause.EVICTED: "Queued at once.",
    Cause.PREEMPTED: "Queued at once.",
    Cause.NODE_SHUTDOWN: "Queued at once.",
    Cause.NODE_LOST: "Queued at once.",
    Cause.SHUT_DOWN: "Queued at once.",
    Cause.VANISHED: "Queued at once.",
    Cause.CANNOT_START: (
        "Released and tried again with growing waits; failed after 24 hours. The pool is blocked meanwhile, and "
        "probed with one run at a time; except for `unschedulable`: such pods stay and wait for a node."
    ),
    Cause.LOST_LEASE: "Nothing. If the run that does own the job reports it, it counts as `crashed`.",
    Cause.CANCELLED: "Cancelled.",
}
"""What follows for the job, by the cause of its run."""

EXIT_CODES = {
    ExitCode.COMPLETED: "Rows, dataset and job are committed.",
    ExitCode.USAGE: (
        "The arguments are wrong: runner and controller are of different versions, or a person mistyped. For a pod "
        "this is `cannot_start` (`image`)."
    ),
    ExitCode.REJECTED: "The input is at fault; the error names file, line and reason.",
    ExitCode.CRASHED: "An unforeseen error; it names the place in the code.",
    ExitCode.OUT_OF_MEMORY: (
        "The machine did not give the runner, or a process that reads for it, the memory that it asked for."
    ),
    ExitCode.UNAVAILABLE: "Database, storage or the machine itself failed; a later try may succeed.",
    ExitCode.FORBIDDEN: "Database or storage refused the runner's credentials.",
    ExitCode.CONFIGURATION: (
        "A setting is missing or wrong, a package is not installed, or the runner is of another version than its "
        "controller."
    ),
    ExitCode.LOST_LEASE: "Another run owns the job now, or this one has been ended. Nothing was committed.",
    ExitCode.SHUT_DOWN: "The runner was stopped by SIGTERM. Nothing was committed.",
}
"""Those of `parser-runner`."""
