"""What a person can do about the end of a run, for every cause; and, more exactly, for every reason."""

from uuid import UUID

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.states import JobState

_NODE = "Nothing: no attempt is used, and the job is queued again by itself. If it goes on, look at the node: "
_RESUBMIT = "Submit the file again, which stores it anew."

_NO_ANSWER = (
    "See why there is no answer: the API server, or a webhook that it asks, if the error names one. The run is "
    "launched as soon as there is one; no attempt is used."
)

ADVICE: dict[Cause, str] = {
    Cause.COMPLETED: "Nothing: the rows are loaded. To load them anew, reprocess the dataset.",
    Cause.REJECTED: "Fix the file and submit it; other bytes are another dataset, so delete this one then.",
    Cause.UNAVAILABLE: "See that database and storage can be reached from where the runners are; then retries pass by "
    "themselves.",
    Cause.FORBIDDEN: "Fix the runner's credentials or rights; the job goes on by itself, within 24 hours.",
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
    "running.",
    Cause.VANISHED: "Nothing: no attempt is used, and the job is queued again by itself. If it goes on, see who "
    "deletes the runners' Jobs or pods.",
    Cause.CANNOT_START: "Fix what keeps the runner from starting; the job goes on by itself, within 24 hours.",
    Cause.LOST_LEASE: "Nothing: another run owns the job.",
    Cause.CANCELLED: "To put it back into the queue, retry the job.",
}
"""By cause."""

REASONS: dict[Reason, str] = {
    Reason.INVALID_FORMAT: "Fix the lines that are named and submit the file; other bytes are another dataset, so "
    "delete this one then.",
    Reason.INVALID_FILENAME: "Submit the file under the publisher's own name, or say what the name has lost.",
    Reason.CONTRADICTORY: "File, name and hints say different things. Submit the file with the right year and sex, or "
    "under its right name.",
    Reason.UNDECIDED: "The error says what the file does not say. If it is of a format that the error names, submit it "
    "again with that format, and with its region if there are several. A list of another publisher can be read by its "
    "columns; a command proposes their description.",
    Reason.SEVERAL_REGIONS: "The file or archive has several regions, and a dataset covers one. Submit each region, or "
    "each file in the archive, as a dataset of its own.",
    Reason.OVERLAPPING: "Another dataset counts for the same. If this file is the newer one, submit it again as a "
    "replacement of that dataset; if it is not, delete this one.",
    Reason.NO_PARSER: "See that the country is the right one. A list of a new publisher can be read by its "
    "columns; a command proposes their description.",
    Reason.DATASET_NOT_FOUND: "Nothing: the dataset was deleted meanwhile. " + _RESUBMIT,
    Reason.FILE_NOT_FOUND: "The stored file is gone. " + _RESUBMIT,
    Reason.FILE_CHANGED: "The stored file was changed after it was submitted. " + _RESUBMIT,
    Reason.TOO_LARGE: "If the file is really the publisher's, raise the limit that the error names (limits of the "
    "chart, else LIMIT_* in the environment) and retry the job.",
    Reason.DATABASE: "Look at the database: whether runners reach it, and whether their role may do what it must "
    "(RUNNER_DATABASE_URL, else DATABASE_URL).",
    Reason.STORAGE: "Look at the storage: whether runners reach it (STORAGE_*), its folder is mounted, and their "
    "credentials may read. S3 also says forbidden of a missing file.",
    Reason.TEMPORARY_IO: "Look at the machine that the runner ran on, the error says what it lacked. ENOSPC, EDQUOT: "
    "make room in the folder that is named, or set TMPDIR to one that has it; it takes the file, and what is unpacked "
    "of it. EFBIG, EMFILE, EAGAIN: raise the limit (ulimit -f, -n, -u). EROFS, EIO: repair the file system. Retries "
    "pass by themselves then; a job that has failed needs a retry by hand.",
    Reason.IMAGE: "See that the runner's image (runner.image of the chart) is that of parser-runner and of the "
    "controller's version, and that the pull secret lets it be pulled. The job goes on by itself, within 24 hours.",
    Reason.CONFIG: "Fix the setting, the right or the package that the error names; the job goes on by itself, "
    "within 24 hours.",
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


ACTIONS: dict[Cause | Reason, tuple[Action, ...]] = {
    Cause.COMPLETED: (Action.REPROCESS_DATASET,),
    Cause.REJECTED: (Action.DELETE_DATASET,),
    Cause.SHUT_DOWN: (Action.RUN_CONTROLLER,),
    Cause.CANCELLED: (Action.RETRY_JOB,),
    Reason.INVALID_FORMAT: (Action.DELETE_DATASET,),
    Reason.INVALID_FILENAME: (Action.SUBMIT_WITH_YEAR_AND_SEX,),
    Reason.CONTRADICTORY: (Action.SUBMIT_WITH_YEAR_AND_SEX,),
    Reason.UNDECIDED: (Action.SUBMIT_AS_FORMAT, Action.SUGGEST_COLUMNS),
    Reason.SEVERAL_REGIONS: (Action.SUBMIT_SPLIT,),
    Reason.OVERLAPPING: (Action.SUBMIT_AS_REPLACEMENT, Action.DELETE_DATASET),
    Reason.NO_PARSER: (Action.SUGGEST_COLUMNS,),
    Reason.DATASET_NOT_FOUND: (Action.SUBMIT,),
    Reason.FILE_NOT_FOUND: (Action.SUBMIT,),
    Reason.FILE_CHANGED: (Action.SUBMIT,),
    Reason.TOO_LARGE: (Action.RETRY_JOB,),
    Reason.TEMPORARY_IO: (Action.RETRY_JOB,),
}
"""What the last sentence of an advice names."""


def advice_for(cause: Cause, reason: Reason | None, job_id: UUID, dataset_id: UUID) -> Advice:
    """What to do about a run that ended so."""
    if reason is not None:
        return _advice(REASONS[reason], job_id, dataset_id, *ACTIONS.get(reason, ()))
    return _advice(ADVICE[cause], job_id, dataset_id, *ACTIONS.get(cause, ()))


def advice_on_waiting(waits_for: str, job_id: UUID, dataset_id: UUID) -> Advice:
    """What to do about a run that has not started.

    Args:
        waits_for: a reason of `cannot_start`; or a cause, if its launch has no answer.
        job_id, dataset_id: whose run it is.
    """
    if waits_for in {*Reason}:
        return advice_for(Cause.CANNOT_START, Reason(waits_for), job_id, dataset_id)
    return Advice(_NO_ANSWER)


def next_steps(state: JobState, job_id: UUID, dataset_id: UUID, *, cancelling: bool = False) -> tuple[Advice, ...]:
    """The possible actions on a job in this state, however its runs ended; none if it is completed."""
    match state:
        case JobState.RUNNING if cancelling:
            text = "It is being cancelled: its run commits nothing, and is being stopped. Nothing else is to be done."
            return (Advice(text),)
        case JobState.QUEUED:
            start = "It starts when its pool has a free slot and a controller is running."
            return (
                _advice(start, job_id, dataset_id, Action.SHOW_STATUS),
                _advice("To take it out, cancel it.", job_id, dataset_id, Action.CANCEL_JOB),
            )
        case JobState.SCHEDULED | JobState.RUNNING:
            return (_advice("To stop it, cancel it.", job_id, dataset_id, Action.CANCEL_JOB),)
        case JobState.FAILED:
            text = "When the cause is fixed, retry it with fresh budgets; to be rid of it, delete the dataset."
            return (_advice(text, job_id, dataset_id, Action.RETRY_JOB, Action.DELETE_DATASET),)
        case JobState.CANCELLED:
            return (_advice(ADVICE[Cause.CANCELLED], job_id, dataset_id, Action.RETRY_JOB),)
        case JobState.COMPLETED:
            return ()


def _advice(text: str, job_id: UUID, dataset_id: UUID, *actions: Action) -> Advice:
    return Advice(text, tuple(Hint(action, job_id, dataset_id) for action in actions))
