"""What a person can do about the end of a run: a sentence or two for every cause, and a finer one for every reason."""

from uuid import UUID

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.states import JobState

_NODE = "Nothing: no attempt is used, and the job is queued again by itself. If it goes on, look at the node: "
_RESUBMIT = "affirm-worker submit FILE --country CC stores it again."

_NO_ANSWER = (
    "See why there is no answer: the API server, or a webhook that it asks, if the error names one. The run is "
    "launched as soon as there is one; no attempt is used."
)

ADVICE: dict[Cause, str] = {
    Cause.COMPLETED: "Nothing: the rows are loaded. To load them anew: affirm-worker reprocess {dataset}.",
    Cause.REJECTED: "Mend the file and submit it; other bytes are another dataset, so delete this one then: "
    "affirm-worker datasets delete {dataset}.",
    Cause.UNAVAILABLE: "See that database and storage can be reached from where the runners are; then retries pass by "
    "themselves.",
    Cause.FORBIDDEN: "Mend the runner's credentials or rights; the job goes on by itself, within 24 hours.",
    Cause.OUT_OF_MEMORY: "Nothing while it is tried again with more memory, as the decision above says. If it has no "
    "more, raise the runner's memory limit or the pool's ceiling of it (runner.resources.limits.memory and "
    "runner.memoryCeiling of the chart), and a LimitRange of the namespace that allows less. On one machine, end what "
    "else uses its memory, raise the shell's limits (ulimit -v, ulimit -d), or run fewer at a time "
    "(WORKER_CONCURRENCY).",
    Cause.TIMED_OUT: "Raise the runner's deadline (runner.deadlineSeconds of the chart), or see what made it slow: "
    "image pull, storage, or a database under load.",
    Cause.DISK_FULL: "Raise the runner's limit of local disk (runner.resources.limits.ephemeral-storage of the chart).",
    Cause.CRASHED: "Look at the error and the last log lines above. A fault of the program wants a bug report; a kill "
    "by signal wants a look at the node.",
    Cause.LEFT_WITHOUT_COMMIT: "See that the runner's image is really that of parser-runner, of the same version as "
    "the controller: it exited with code 0 without doing its work.",
    Cause.EVICTED: _NODE + "it is drained, short of memory or disk, or its clock jumps.",
    Cause.PREEMPTED: "Nothing: no attempt is used, and the job is queued again by itself. If it goes on, give the "
    "runners a higher priority (runner.priorityClassName of the chart).",
    Cause.NODE_SHUTDOWN: _NODE + "it keeps shutting down.",
    Cause.NODE_LOST: _NODE + "it does not answer.",
    Cause.SHUT_DOWN: "Nothing: no attempt is used, and the job is queued again by itself. A controller must be "
    "running: affirm-worker run.",
    Cause.VANISHED: "Nothing: no attempt is used, and the job is queued again by itself. If it goes on, see who "
    "deletes the runners' Jobs or pods.",
    Cause.CANNOT_START: "Mend what keeps the runner from starting; the job goes on by itself, within 24 hours.",
    Cause.LOST_LEASE: "Nothing: another run owns the job.",
    Cause.CANCELLED: "To put it back into the queue: affirm-worker jobs retry {job}.",
}
"""By cause. `{job}` and `{dataset}` stand for their ids."""

REASONS: dict[Reason, str] = {
    Reason.INVALID_FORMAT: "Mend the lines that are named and submit the file; other bytes are another dataset, so "
    "delete this one then: affirm-worker datasets delete {dataset}.",
    Reason.INVALID_FILENAME: "Submit the file under the publisher's own name, or say what the name has lost: "
    "affirm-worker submit FILE --country CC --year YYYY --sex F|M.",
    Reason.CONTRADICTORY: "File, name and hints say different things. Submit the file with the right --year and --sex, "
    "or under its right name.",
    Reason.OVERLAPPING: "Another dataset counts for the same. If this file is the newer one, submit it again with "
    "--replaces and the id of that dataset; if it is not, delete it: affirm-worker datasets delete {dataset}.",
    Reason.NO_PARSER: "See that the country is the right one; a format that is new needs a parser: affirm-worker "
    "parse FILE --country CC tries one without loading.",
    Reason.DATASET_NOT_FOUND: "Nothing: the dataset was deleted meanwhile. " + _RESUBMIT,
    Reason.FILE_NOT_FOUND: "The stored file is gone. " + _RESUBMIT,
    Reason.FILE_CHANGED: "The stored file was changed after it was submitted. " + _RESUBMIT,
    Reason.TOO_LARGE: "If the file is really the publisher's, raise the limit that the error names (limits of the "
    "chart, else LIMIT_* in the environment) and retry the job: affirm-worker jobs retry {job}.",
    Reason.DATABASE: "Look at the database: whether runners reach it, and whether their role may do what it must "
    "(RUNNER_DATABASE_URL, else DATABASE_URL).",
    Reason.STORAGE: "Look at the storage: whether runners reach it (STORAGE_*), its folder is mounted, and their "
    "credentials may read. S3 also says forbidden of a missing file.",
    Reason.TEMPORARY_IO: "Look at the machine that the runner ran on, the error says what it lacked. ENOSPC, EDQUOT: "
    "make room in the folder that is named, or set TMPDIR to one that has it; it takes the file, and what is unpacked "
    "of it. EFBIG, EMFILE, EAGAIN: raise the limit (ulimit -f, -n, -u). EROFS, EIO: repair the file system. Retries "
    "pass by themselves then; a job that has failed: affirm-worker jobs retry {job}.",
    Reason.IMAGE: "See that the runner's image (runner.image of the chart) is that of parser-runner and of the "
    "controller's version, and that the pull secret lets it be pulled. The job goes on by itself, within 24 hours.",
    Reason.CONFIG: "Mend the setting or the right that the error names; the job goes on by itself, within 24 hours.",
    Reason.QUOTA: "Make room in the namespace's ResourceQuota, or raise it. The job goes on by itself, within 24 "
    "hours.",
    Reason.REFUSED: "The cluster refuses the controller, or the runner's Job or pod; the error says why. A LimitRange, "
    "or a quota that wants a value: set runner.resources of the chart to what it allows, or change it. An admission "
    "webhook or Pod Security: change the pool's pod template, or ask whoever runs that rule. A right that is missing: "
    "give it to the controller's service account (rbac.create of the chart). A namespace that is being terminated: "
    "install in another one. The job goes on by itself, within 24 hours.",
    Reason.UNSCHEDULABLE: "Make room in the cluster, or lower what a runner asks for (runner.resources.requests, "
    "nodeSelector and tolerations of the chart); the job goes on by itself, within 24 hours.",
}
"""By reason, which says more than the cause."""


def advice_for(cause: Cause, reason: Reason | None, job_id: UUID, dataset_id: UUID) -> str:
    """What to do about a run that ended so."""
    text = REASONS[reason] if reason is not None else ADVICE[cause]
    return text.format(job=job_id, dataset=dataset_id)


def advice_on_waiting(waits_for: str, job_id: UUID, dataset_id: UUID) -> str:
    """What to do about a run that has not started.

    Args:
        waits_for: a reason of `cannot_start`; or a cause, if its launch has no answer.
        job_id, dataset_id: whose run it is.
    """
    if waits_for in {*Reason}:
        return advice_for(Cause.CANNOT_START, Reason(waits_for), job_id, dataset_id)
    return _NO_ANSWER


def next_step(state: JobState, job_id: UUID, dataset_id: UUID, *, cancelling: bool = False) -> str:
    """What can be done with a job that stands there, whatever became of its runs; empty where nothing needs to be."""
    match state:
        case JobState.RUNNING if cancelling:
            return "It is being cancelled: its run commits nothing, and is being stopped. Nothing else is to be done."
        case JobState.QUEUED:
            return (
                "It starts when its pool has a free slot and a controller is running: affirm-worker status. "
                f"To take it out: affirm-worker jobs cancel {job_id}."
            )
        case JobState.SCHEDULED | JobState.RUNNING:
            return f"To stop it: affirm-worker jobs cancel {job_id}."
        case JobState.FAILED:
            return (
                f"When the cause is mended: affirm-worker jobs retry {job_id} (fresh budgets), or affirm-worker "
                f"datasets delete {dataset_id} to be rid of it."
            )
        case JobState.CANCELLED:
            return f"To put it back into the queue: affirm-worker jobs retry {job_id}."
        case JobState.COMPLETED:
            return ""
