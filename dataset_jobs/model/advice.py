"""What a person can do about a job: for every cause for which a run ends, for every reason, and in every state.

Each remedy is tried by a test, in the situation that it is for: `tests/integration/test_advice_works.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from uuid import UUID

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import FINISHED, JobState


@dataclass(frozen=True, slots=True)
class Subject:
    """The job that advice is about.

    Args:
        country, filename: of its dataset.
        reload: it loads a dataset again whose rows are there.
        described: a person has described the columns of its file, which the file alone would lose.
        said: what the uploader has said of the file.
        replaces: the datasets whose place it takes.
        cancelling: a cancel is asked for.
        refused: actions that its state allows, and that are refused now, with the reason.
    """

    job_id: UUID
    dataset_id: UUID
    country: str
    filename: str
    state: JobState
    reload: bool = False
    described: bool = False
    said: FileHints = NO_HINTS
    replaces: tuple[UUID, ...] = ()
    cancelling: bool = False
    refused: Mapping[Action, InvalidRequest] = field(default_factory=dict)

    def allows(self, hint: Hint) -> bool:
        """Whether an action is possible now; what is about another job or dataset is not known here."""
        states = _ALLOWED_IN.get(hint.action)
        if states is None or (hint.job_id, hint.dataset_id) not in (
            (self.job_id, self.dataset_id),
            (self.job_id, None),
            (None, self.dataset_id),
        ):
            return True
        again = hint.action is Action.CANCEL_JOB and self.cancelling
        return self.state in states and hint.action not in self.refused and not again

    @property
    def possible(self) -> tuple[Hint, ...]:
        """The actions that are possible on it now, the most useful one first."""
        return tuple(hint for action in _ALLOWED_IN if self.allows(hint := Hint(action, self.job_id, self.dataset_id)))


_WAITING = (JobState.SCHEDULED, JobState.QUEUED)
_ALLOWED_IN: dict[Action, tuple[JobState, ...]] = {
    Action.RETRY_JOB: (JobState.FAILED, JobState.CANCELLED),
    Action.RUN_JOB_NOW: (JobState.SCHEDULED,),
    Action.SET_JOB: _WAITING,
    Action.CANCEL_JOB: (*_WAITING, JobState.RUNNING),
    Action.REPROCESS_DATASET: FINISHED,
    Action.DELETE_DATASET: (*_WAITING, *FINISHED),
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about the end of a run.

    Args:
        text: what a person does; empty if there is nothing.
        before, after: sentences before and after it that hold only while the job is not over.
        actions: what the last sentence of the text asks for; one of several is enough.
        retry: once that is done, a failed job is worth a retry.
    """

    text: str
    before: str = ""
    after: str = ""
    actions: tuple[Action, ...] = ()
    retry: bool = True


_QUEUED_AGAIN = "Nothing is to be done: no attempt is used, and the job is queued again by itself."
_TRIED_AGAIN = "Then the next try passes by itself."
_GOES_ON = "Then the job goes on by itself, within 24 hours."
_NODE = "If it happens again, look at the node: "
_STORE_AGAIN = "Submit the file again, which stores it anew."

_NO_ANSWER = (
    "See why there is no answer: the API server, or a webhook that it asks, if the error names one. The run is "
    "launched as soon as there is one; no attempt is used."
)

ADVICE: dict[Cause, Remedy] = {
    Cause.COMPLETED: Remedy("The rows are loaded. To load them anew, reprocess the dataset.",
        actions=(Action.REPROCESS_DATASET,)),
    Cause.REJECTED: Remedy("Fix the file and submit it.", actions=(Action.SUBMIT,), retry=False),
    Cause.UNAVAILABLE: Remedy(
        "See that database and storage can be reached from where the runners are.", after=_TRIED_AGAIN),
    Cause.FORBIDDEN: Remedy("Fix the runner's credentials or rights.", after=_GOES_ON),
    Cause.OUT_OF_MEMORY: Remedy(
        "If the decision after the run gives it no more memory, raise the runner's memory limit or the pool's ceiling "
        "of it (runner.resources.limits.memory and runner.memoryCeiling of the chart), and a LimitRange of the "
        "namespace that allows less. On one machine, end what else uses its memory, raise the shell's limits (ulimit "
        "-v, ulimit -d), or run fewer at a time (WORKER_CONCURRENCY)."),
    Cause.TIMED_OUT: Remedy(
        "Raise the runner's deadline (runner.deadlineSeconds of the chart, WORKER_RUN_DEADLINE on one machine), or see "
        "what made it slow: image pull, storage, or a database under load."),
    Cause.DISK_FULL: Remedy(
        "Raise the runner's limit of local disk (runner.resources.limits.ephemeral-storage of the chart)."),
    Cause.CRASHED: Remedy(
        "Look at the error and the last log lines of the run. If the program crashed, report a bug. If it was killed "
        "by a signal, look at the node."),
    Cause.LEFT_WITHOUT_COMMIT: Remedy(
        "See that the runner's image is really that of parser-runner, of the same version as the controller: it "
        "exited with code 0 without doing its work."),
    Cause.EVICTED: Remedy(_NODE + "it is drained, short of memory or disk, or its clock jumps.", _QUEUED_AGAIN),
    Cause.PREEMPTED: Remedy(
        "If it happens again, give the runners a higher priority (runner.priorityClassName of the chart).",
        _QUEUED_AGAIN),
    Cause.NODE_SHUTDOWN: Remedy(_NODE + "it keeps shutting down.", _QUEUED_AGAIN),
    Cause.NODE_LOST: Remedy(_NODE + "it does not answer.", _QUEUED_AGAIN),
    Cause.SHUT_DOWN: Remedy("A controller must be running.", _QUEUED_AGAIN, actions=(Action.RUN_CONTROLLER,)),
    Cause.VANISHED: Remedy("If it happens again, see who deletes the runners' Jobs or pods.", _QUEUED_AGAIN),
    Cause.CANNOT_START: Remedy("Fix what keeps the runner from starting.", after=_GOES_ON),
    Cause.LOST_LEASE: Remedy("", "Nothing is to be done: another run owns the job."),
    Cause.CANCELLED: Remedy("To put it back into the queue, retry the job.", actions=(Action.RETRY_JOB,)),
}  # fmt: skip
"""By cause."""

REASONS: dict[Reason, Remedy] = {
    Reason.INVALID_FORMAT: Remedy(
        "Fix the lines or cells that the error names, and submit the file; then it is another dataset.",
        actions=(Action.SUBMIT,), retry=False),
    Reason.INVALID_FILENAME: Remedy(
        "Submit the file under the publisher's own name, or say what the name has lost.",
        actions=(Action.SUBMIT_WITH_YEAR, Action.SUBMIT_WITH_SEX), retry=False),
    Reason.CONTRADICTORY: Remedy(
        "File, name and options say different things. Submit the file under its right name, and with no option that "
        "contradicts it.", actions=(Action.SUBMIT,), retry=False),
    Reason.UNDECIDED: Remedy(
        "The error says what the file does not say. If it is of a format that the error names, submit it again with "
        "that format, and with its region if there are several.", actions=(Action.SUBMIT_AS_FORMAT,), retry=False),
    Reason.SEVERAL_REGIONS: Remedy(
        "The file or archive has several regions, and a dataset covers one. Submit each region, or each file in the "
        "archive, as a dataset of its own.", actions=(Action.SUBMIT_SPLIT,), retry=False),
    Reason.OVERLAPPING: Remedy(
        "Another dataset counts for the same. If this file is the newer one, submit it again as a replacement of that "
        "dataset; if it is not, delete this one.",
        actions=(Action.SUBMIT_AS_REPLACEMENT, Action.DELETE_DATASET), retry=False),
    Reason.NO_PARSER: Remedy(
        "See that the country is the right one. A list of a new publisher can be read by its columns: have a "
        "description of them proposed, and submit the list with it.",
        actions=(Action.SUGGEST_COLUMNS,), retry=False),
    Reason.DATASET_NOT_FOUND: Remedy(
        f"The dataset was deleted meanwhile. If that was a mistake: {_STORE_AGAIN}", actions=(Action.SUBMIT,),
        retry=False),
    Reason.FILE_NOT_FOUND: Remedy(f"The stored file is gone. {_STORE_AGAIN}", actions=(Action.SUBMIT,), retry=False),
    Reason.FILE_CHANGED: Remedy(
        f"The stored file was changed after it was submitted. {_STORE_AGAIN}", actions=(Action.SUBMIT,), retry=False),
    Reason.TOO_LARGE: Remedy(
        "If the file is really the publisher's, raise the limit that the error names (limits of the chart, else "
        "LIMIT_* in the environment of the controller)."),
    Reason.DATABASE: Remedy(
        "Look at the database: whether runners reach it, and whether their role may do what it must "
        "(RUNNER_DATABASE_URL, else DATABASE_URL).", after=_TRIED_AGAIN),
    Reason.STORAGE: Remedy(
        "Look at the storage: whether runners reach it (STORAGE_*), its folder is mounted, and their credentials may "
        "read. S3 also says forbidden of a missing file.", after=_TRIED_AGAIN),
    Reason.TEMPORARY_IO: Remedy(
        "Look at the machine that the runner ran on, the error says what it lacked. ENOSPC, EDQUOT: make room in the "
        "folder that is named, or set TMPDIR to one that has it; it takes the file, and what is unpacked of it. EFBIG, "
        "EMFILE, EAGAIN: raise the limit (ulimit -f, -n, -u). EROFS, EIO: repair the file system.", after=_TRIED_AGAIN),
    Reason.IMAGE: Remedy(
        "See that the runner's image (runner.image of the chart) is that of parser-runner and of the controller's "
        "version, and that the pull secret lets it be pulled.", after=_GOES_ON),
    Reason.CONFIG: Remedy("Fix the setting, the right or the package that the error names.", after=_GOES_ON),
    Reason.QUOTA: Remedy("Make room in the namespace's ResourceQuota, or raise it.", after=_GOES_ON),
    Reason.REFUSED: Remedy(
        "The cluster refuses the controller, or the runner's Job or pod; the error says why. A LimitRange, or a quota "
        "that wants a value: set runner.resources of the chart to what it allows, or change it. An admission webhook "
        "or Pod Security: change the pool's pod template, or ask whoever runs that rule. A right that is missing: give "
        "it to the controller's service account (rbac.create of the chart). A namespace that is being terminated: "
        "install in another one.", after=_GOES_ON),
    Reason.UNSCHEDULABLE: Remedy(
        "Make room in the cluster, or lower what a runner asks for (runner.resources.requests, nodeSelector and "
        "tolerations of the chart).", after=_GOES_ON),
}  # fmt: skip
"""By reason, which says more than the cause."""

_KEEP = Action.SHOW_DESCRIPTION
_SUBMITS = frozenset((Action.SUBMIT, Action.SUBMIT_WITH_YEAR, Action.SUBMIT_WITH_SEX, Action.SUBMIT_AS_REPLACEMENT))

WHOLE_FILE = Remedy(
    "See that the file is whole, as the publisher has made it, and of this country. These formats can be read:",
    actions=(Action.LIST_FORMATS,),
    retry=False,
)
"""Of an invalid format, if no line or cell is at fault."""

HINTED: dict[Action, str] = {
    Action.SUBMIT_AS_FORMAT: "If the file is what this says, submit it again so:",
    Action.LIST_FORMATS: "These formats of the country can be read:",
    Action.SUGGEST_COLUMNS: "If it is a list of another publisher, have a description of its columns proposed, and "
    "submit the list with it:",
    Action.SUBMIT_WITH_YEAR: "Submit the file under the publisher's own name, or say the year:",
    Action.SUBMIT_WITH_SEX: "Submit the file under the publisher's own name, or say the sex:",
    Action.SUBMIT_SPLIT: "Submit each region, or each file in the archive, as a dataset of its own:",
    Action.SUBMIT_AS_REPLACEMENT: "If this file is the newer one, submit it again as the replacement of the other one:",
    Action.DELETE_DATASET: "If it is not, delete this dataset:",
}
"""What the hints of a refused file ask for."""


def remedy_of(cause: Cause, reason: Reason | None) -> Remedy:
    """What to do about runs that end so, whatever their job."""
    return REASONS[reason] if reason is not None else ADVICE[cause]


def advice_on_end(
    about: Subject, cause: Cause, reason: Reason | None, hints: Sequence[Hint] = (), error: str = ""
) -> Iterator[Advice]:
    """What to do about a run that ended so.

    Args:
        about: its job.
        cause, reason: why it ended.
        hints: those of the refusal, which know more of the file.
        error: what the runner said; a refusal names the place right after the file.
    """
    if hints:
        known = (_of(about, hint) for hint in hints)
        for action, same in groupby(filter(about.allows, known), key=lambda hint: hint.action):
            yield Advice(HINTED.get(action, "See"), tuple(same))
        return
    remedy = remedy_of(cause, reason)
    if reason is Reason.INVALID_FORMAT and error and not error.startswith(f"{about.filename}, "):
        remedy = WHOLE_FILE
    waits = not about.state.finished
    text = " ".join(filter(None, [remedy.before if waits else "", remedy.text, remedy.after if waits else ""]))
    if not text:
        return
    if reason is Reason.CONTRADICTORY:  # one of the options is at fault
        about = replace(about, said=FileHints(description=about.said.description))
    if about.described and _SUBMITS.intersection(remedy.actions):
        yield Advice("Its columns are described. Keep the description as a file.", (_hint(about, _KEEP),))
        yield Advice(text, (_hint(about, Action.SUBMIT_WITH_DESCRIPTION),))
        return
    asked = [_hint(about, action) for action in remedy.actions]
    allowed = tuple(filter(about.allows, asked))
    if allowed or not asked:  # else the text asks for what cannot be done
        yield Advice(text, allowed)


def advice_on_waiting(about: Subject, waits_for: str) -> Iterator[Advice]:
    """What to do about a run that has not started.

    Args:
        about: its job.
        waits_for: a reason of `cannot_start`; or a cause, if its launch has no answer.
    """
    if waits_for in {*Reason}:
        yield from advice_on_end(about, Cause.CANNOT_START, Reason(waits_for))
    else:
        yield Advice(_NO_ANSWER)


def next_steps(about: Subject, cause: Cause | None = None, reason: Reason | None = None) -> Iterator[Advice]:
    """The possible actions on a job in its state; none if it is completed.

    Args:
        about: the job.
        cause, reason: why its last run ended; None if none has.
    """
    match about.state:
        case JobState.RUNNING if about.cancelling:
            yield Advice("It is being cancelled: its run commits nothing, and is being stopped. Nothing is to be done.")
        case JobState.QUEUED:
            start = "It starts when its pool has a free slot and a controller is running."
            yield Advice(start, (_hint(about, Action.SHOW_STATUS),))
            yield Advice("To take it out, cancel it.", (_hint(about, Action.CANCEL_JOB),))
        case JobState.SCHEDULED:
            yield Advice("To try again now, bring it forward.", (_hint(about, Action.RUN_JOB_NOW),))
            yield Advice("To stop it, cancel it.", (_hint(about, Action.CANCEL_JOB),))
        case JobState.RUNNING:
            yield Advice("To stop it, cancel it.", (_hint(about, Action.CANCEL_JOB),))
        case JobState.FAILED:
            yield from _of_failed(about, cause, reason)
        case JobState.CANCELLED:
            yield from _retry(about, ADVICE[Cause.CANCELLED].text)


def _of_failed(about: Subject, cause: Cause | None, reason: Reason | None) -> Iterator[Advice]:
    remedy = None if cause is None else remedy_of(cause, reason)
    stored_again = about.reload and reason in (Reason.FILE_NOT_FOUND, Reason.FILE_CHANGED)
    if remedy is None or remedy.retry or stored_again:
        yield from _retry(about, "When the cause is fixed, retry it, with fresh budgets.")
    if about.reload:
        yield Advice("The rows that were loaded before are still there.")
    elif reason is not Reason.OVERLAPPING and about.allows(delete := _hint(about, Action.DELETE_DATASET)):
        yield Advice("To be rid of it, delete the dataset.", (delete,))


def _retry(about: Subject, text: str) -> Iterator[Advice]:
    """A retry, or why it would be refused and what else can be done."""
    refusal = about.refused.get(Action.RETRY_JOB)
    if refusal is None:
        yield Advice(text, (_hint(about, Action.RETRY_JOB),))
    else:
        yield Advice(f"It cannot be retried: {refusal}.", tuple(refusal.hints))


def _of(about: Subject, hint: Hint) -> Hint:
    """A refusal's hint, with what only the job knows."""
    known = replace(hint, job_id=hint.job_id or about.job_id, dataset_id=hint.dataset_id or about.dataset_id)
    return known.saying(about.country, about.filename, about.said, about.replaces)


def _hint(about: Subject, action: Action) -> Hint:
    dataset: UUID | None = about.dataset_id
    if action is Action.SUBMIT_AS_REPLACEMENT:
        dataset = None  # another one, which is not known here
    hint = Hint(action, about.job_id, dataset)
    if action is Action.SUBMIT_AS_FORMAT:
        hint = replace(hint, format=about.said.format or "NAME", region=about.said.region or "CODE")
    return hint.saying(about.country, about.filename, about.said, about.replaces)
