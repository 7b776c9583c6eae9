"""What a person can do next, as commands."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from cli.options import context as context_option
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.hints import Action, Advice, Hint

_COMMANDS = {
    Action.EXPLAIN_JOB: "affirm-worker jobs explain {job}",
    Action.CANCEL_JOB: "affirm-worker jobs cancel {job}",
    Action.RETRY_JOB: "affirm-worker jobs retry {job}",
    Action.RUN_JOB_NOW: "affirm-worker jobs set {job} --run-at 0s",
    Action.DELETE_DATASET: "affirm-worker datasets delete {dataset}",
    Action.REPROCESS_DATASET: "affirm-worker reprocess {dataset}",
    Action.SUBMIT: "affirm-worker submit FILE --country {country}",
    Action.SUBMIT_WITH_YEAR: "affirm-worker submit FILE --country {country} --year YYYY",
    Action.SUBMIT_WITH_SEX: "affirm-worker submit FILE --country {country} --sex F|M",
    Action.SUBMIT_AS_FORMAT: "affirm-worker submit FILE --country {country}{said}",
    Action.SUBMIT_SPLIT: "affirm-worker submit FILE --country {country} --split",
    Action.SUBMIT_AS_REPLACEMENT: "affirm-worker submit FILE --country {country} --replaces {dataset}",
    Action.LIST_FORMATS: "affirm-worker parsers list --country {country}",
    Action.SUGGEST_COLUMNS: "affirm-worker parse FILE --country {country} --suggest",
    Action.LIST_FAILED_JOBS: "affirm-worker jobs list --state failed",
    Action.SHOW_DESCRIPTION: "affirm-worker datasets show {dataset} --description > description.toml",
    Action.SUBMIT_WITH_DESCRIPTION: "affirm-worker submit FILE --country {country} --description description.toml",
    Action.SHOW_STATUS: "affirm-worker status",
    Action.LIST_SCHEDULES: "affirm-worker schedules list",
    Action.REMOVE_SCHEDULE: "affirm-worker schedules remove {name}",
    Action.LIST_POOLS: "affirm-worker pools list",
    Action.RESUME_POOL: "affirm-worker pools resume {name}",
    Action.SET_POOL_MAXIMUM: "affirm-worker pools set {name} --max N",
    Action.PATCH_PARSER_POOL: "kubectl patch parserpool {name} -n {namespace} --type merge -p {patch}",
    Action.RUN_CONTROLLER: "affirm-worker run",
    Action.MIGRATE: "affirm-worker migrate",
    Action.CHOOSE_PORT: "affirm-worker db start --port N",
}


_SUBMIT = "affirm-worker submit "


def command(hint: Hint, file: Path | str | None = None, country: str = "CC", submit: str = "submit") -> str:
    """What to type.

    Args:
        hint: what is to be done.
        file: its path, if that is known better than by the hint.
        country: its code, if the hint has none.
        submit: the command that the user submits files with: submit or load.
    """
    said = "".join(f" --{word} {value}" for word, value in (("format", hint.format), ("region", hint.region)) if value)
    line = _COMMANDS[hint.action].format(
        job=hint.job_id,
        dataset=hint.dataset_id or "DATASET_ID",
        name=hint.name,
        namespace=hint.namespace or "NAMESPACE",
        patch=shlex.quote(hint.patch or ""),
        country=hint.country or country,
        said=said or ("" if hint.country else " --format NAME --region CODE"),
    )
    if line.startswith(_SUBMIT):
        line = f"affirm-worker {submit} {line.removeprefix(_SUBMIT)}"
    if path := str(file or hint.file or ""):
        line = line.replace("FILE", shlex.quote(path), 1)
    line = typed(line)
    return f"POOL={hint.name} {line}" if hint.action is Action.RUN_CONTROLLER and hint.name else line


def typed(line: str) -> str:
    """A command of this program as it works on the same database: with the context that was given."""
    if used := context_option.chosen():
        return line.replace("affirm-worker ", f"affirm-worker --context {shlex.quote(used)} ", 1)
    return line


def error_in_words(error: RunError) -> str:
    """The error in one line, with the command that its end asks for."""
    return with_commands(str(error), error.hints)


def advice_in_words(advice: Advice) -> str:
    """The advice in one line, with the commands that it names; no full stop follows a command."""
    if not advice.hints:
        return advice.text
    return with_commands(advice.text.rstrip(".:"), advice.hints)


def advice_lines(advice: Advice) -> list[str]:
    """The advice, and each command that it names on a line of its own, to be copied."""
    if not advice.hints:
        return [advice.text]
    return [f"{advice.text.rstrip('.:')}:", *(f"    {command(hint)}" for hint in advice.hints)]


def with_commands(text: str, hints: Sequence[Hint]) -> str:
    """A text whose end asks for one of these actions, and the commands for them."""
    return ": ".join(filter(None, [text, " or ".join(map(command, hints))]))
