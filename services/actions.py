"""Actions as every surface but the command line needs them: a word, a target, what is said of it, and a label.

A hint says what to do in terms of the model. Here it becomes what a button or a link is made of; the command line makes
a command of the hint itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dataset_jobs.model.hints import Action, Hint


class Verb(StrEnum):
    """What is done. Several actions of the model are the same verb with other parameters."""

    CANCEL = "cancel"
    RETRY = "retry"
    RUN_NOW = "run_now"
    SET = "set"
    REPROCESS = "reprocess"
    DELETE = "delete"
    RESUBMIT = "resubmit"
    DESCRIBE = "describe"
    """Have the description of a list proposed."""
    PAUSE = "pause"
    RESUME = "resume"
    PROBE = "probe"
    PATCH = "patch"
    """Change a Kubernetes object: nobody but its owner can."""
    REMOVE = "remove"
    SHOW = "show"
    LIST = "list"
    MIGRATE = "migrate"
    RUN_CONTROLLER = "run_controller"
    MOVE = "move"
    REVOKE = "revoke"

    @property
    def looks(self) -> bool:
        """It changes nothing."""
        return self in (Verb.SHOW, Verb.LIST)


class Target(StrEnum):
    """What an action is done to."""

    JOB = "job"
    DATASET = "dataset"
    FILE = "file"
    POOL = "pool"
    PARSER_POOL = "parser_pool"
    SCHEDULE = "schedule"
    FORMATS = "formats"
    FAILED_JOBS = "failed_jobs"
    POOLS = "pools"
    SCHEDULES = "schedules"
    KEY = "key"
    INSTALLATION = "installation"
    OPERATION = "operation"


@dataclass(frozen=True, slots=True)
class Offer:
    """An action that is offered.

    Args:
        action: what is done.
        target, id: to what; the id of a job or a dataset, else a name, None if it needs none.
        label: what stands on its button.
        parameters: what is said of it already.
        asks: the parameters that a person has to say.
    """

    action: Verb
    target: Target
    id: str | None
    label: str
    parameters: dict[str, str] = field(default_factory=dict)
    asks: tuple[str, ...] = ()


_KINDS: dict[Action, tuple[Verb, Target, str, tuple[str, ...]]] = {
    Action.EXPLAIN_JOB: (Verb.SHOW, Target.JOB, "See why", ()),
    Action.CANCEL_JOB: (Verb.CANCEL, Target.JOB, "Cancel", ()),
    Action.RETRY_JOB: (Verb.RETRY, Target.JOB, "Retry now", ()),
    Action.RETRY_FAILED: (Verb.RETRY, Target.FAILED_JOBS, "Retry all of them", ()),
    Action.RUN_JOB_NOW: (Verb.RUN_NOW, Target.JOB, "Run now", ()),
    Action.SET_JOB: (Verb.SET, Target.JOB, "Change priority", ("priority",)),
    Action.DELETE_DATASET: (Verb.DELETE, Target.DATASET, "Delete the dataset", ()),
    Action.REPROCESS_DATASET: (Verb.REPROCESS, Target.DATASET, "Load again", ()),
    Action.SUBMIT: (Verb.RESUBMIT, Target.FILE, "Upload the file again", ("file",)),
    Action.SUBMIT_WITH_YEAR: (Verb.RESUBMIT, Target.FILE, "Upload it again with its year", ("file", "year")),
    Action.SUBMIT_WITH_SEX: (Verb.RESUBMIT, Target.FILE, "Upload it again with its sex", ("file", "sex")),
    Action.SUBMIT_AS_FORMAT: (Verb.RESUBMIT, Target.FILE, "Upload it again in this format", ("file",)),
    Action.SUBMIT_SPLIT: (Verb.RESUBMIT, Target.FILE, "Upload each region as a dataset", ("file",)),
    Action.SUBMIT_AS_REPLACEMENT: (Verb.RESUBMIT, Target.FILE, "Upload it again as a replacement", ("file",)),
    Action.SUBMIT_WITH_DESCRIPTION: (
        Verb.RESUBMIT, Target.FILE, "Upload it again with its description", ("file", "description")),
    Action.SUGGEST_COLUMNS: (Verb.DESCRIBE, Target.FILE, "Propose a description", ("file",)),
    Action.LIST_FORMATS: (Verb.LIST, Target.FORMATS, "See the formats", ()),
    Action.LIST_FAILED_JOBS: (Verb.LIST, Target.FAILED_JOBS, "See the failures", ()),
    Action.SHOW_DATASET: (Verb.SHOW, Target.DATASET, "See the dataset", ()),
    Action.SHOW_DESCRIPTION: (Verb.SHOW, Target.DATASET, "Keep its description", ()),
    Action.SHOW_STATUS: (Verb.SHOW, Target.INSTALLATION, "See the status", ()),
    Action.LIST_SCHEDULES: (Verb.LIST, Target.SCHEDULES, "See the schedules", ()),
    Action.REMOVE_SCHEDULE: (Verb.REMOVE, Target.SCHEDULE, "Remove the schedule", ()),
    Action.LIST_POOLS: (Verb.LIST, Target.POOLS, "See the pools", ()),
    Action.PAUSE_POOL: (Verb.PAUSE, Target.POOL, "Pause the pool", ()),
    Action.RESUME_POOL: (Verb.RESUME, Target.POOL, "Resume the pool", ()),
    Action.PROBE_POOL: (Verb.PROBE, Target.POOL, "Probe now", ()),
    Action.SET_POOL_MAXIMUM: (Verb.SET, Target.POOL, "Change the maximum", ("max_running",)),
    Action.PATCH_PARSER_POOL: (Verb.PATCH, Target.PARSER_POOL, "Change the ParserPool", ()),
    Action.RUN_CONTROLLER: (Verb.RUN_CONTROLLER, Target.INSTALLATION, "Run a controller", ()),
    Action.MIGRATE: (Verb.MIGRATE, Target.INSTALLATION, "Migrate the database", ()),
    Action.CHOOSE_PORT: (Verb.MOVE, Target.INSTALLATION, "Choose another port", ("port",)),
}  # fmt: skip
_PARAMETERS = ("country", "file", "year", "sex", "format", "region", "columns", "replaces", "namespace", "patch")
_UNSAID = ("NAME", "CODE")
"""What stands for a format or a region that nobody has said."""


def offer(hint: Hint) -> Offer:
    """The action of a hint."""
    verb, target, label, asks = _KINDS[hint.action]
    said = {name: value for name in _PARAMETERS if (value := getattr(hint, name))}
    if target in (Target.JOB, Target.DATASET):
        said = {}  # they are known
    unsaid = [name for name, value in said.items() if value in _UNSAID and name in ("format", "region")]
    if "file" in said:
        said["filename"] = said.pop("file")
    if hint.action is Action.SUBMIT_SPLIT:
        said["split"] = "true"
    if hint.action is Action.SUBMIT_AS_REPLACEMENT and hint.dataset_id is not None:
        said["replaces"] = " ".join(filter(None, [str(hint.dataset_id), said.get("replaces")]))
    if hint.action is Action.SHOW_DESCRIPTION:
        said["part"] = "description"
    parameters = {name: value for name, value in said.items() if name not in unsaid}
    missing = ("replaces",) if hint.action is Action.SUBMIT_AS_REPLACEMENT and "replaces" not in said else ()
    return Offer(verb, target, _id_of(target, hint), label, parameters, (*asks, *unsaid, *missing))


def _id_of(target: Target, hint: Hint) -> str | None:
    match target:
        case Target.JOB:
            return str(hint.job_id)
        case Target.DATASET:
            return str(hint.dataset_id)
        case Target.POOL | Target.PARSER_POOL | Target.SCHEDULE:
            return hint.name
        case Target.INSTALLATION | Target.FAILED_JOBS:  # the pool of a controller; the cause
            return hint.name
        case _:
            return None


def hint_of(values: Any) -> Hint | None:
    """The hint of an action, from its JSON: the inverse of `offer`; None for one that this version does not know."""
    if not isinstance(values, Mapping):
        return None
    asked = (values.get("action"), values.get("target"), values.get("label"))
    action = next((one for one, (*words, _) in _KINDS.items() if (*words,) == asked), None)
    parameters, asks = values.get("parameters"), values.get("asks")
    if action is None or not isinstance(parameters, Mapping) or not isinstance(asks, list):
        return None
    said = {name: str(value) for name, value in parameters.items() if name in _PARAMETERS}
    if "filename" in parameters:
        said["file"] = str(parameters["filename"])
    said |= {name: word for name, word in zip(("format", "region"), _UNSAID, strict=True) if name in asks}
    if action is Action.SUBMIT_AS_REPLACEMENT and "replaces" in said:
        first, _, others = said.pop("replaces").partition(" ")
        said |= {"dataset_id": first} | ({"replaces": others} if others else {})
    match _KINDS[action][1]:
        case Target.JOB:
            said["job_id"] = values.get("id", "")
        case Target.DATASET:
            said["dataset_id"] = values.get("id", "")
        case _ if values.get("id") is not None:
            said["name"] = str(values["id"])
    return Hint.from_dict({"action": action, **said})
