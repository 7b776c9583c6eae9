"""What a person can do next, as commands."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from cli.wording.typed import typed
from dataset_jobs.model.advice import HINTED
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.kubectl import patch_parser_pool

_COMMANDS = {
    Action.EXPLAIN_JOB: "affirm-worker jobs explain {job}",
    Action.CANCEL_JOB: "affirm-worker jobs cancel {job}",
    Action.RETRY_JOB: "affirm-worker jobs retry {job}",
    Action.RETRY_FAILED: "affirm-worker jobs retry --failed --cause {name}",
    Action.RUN_JOB_NOW: "affirm-worker jobs set {job} --run-at 0s",
    Action.SET_JOB: "affirm-worker jobs set {job} --priority N",
    Action.DELETE_DATASET: "affirm-worker datasets delete {dataset}",
    Action.REPROCESS_DATASET: "affirm-worker reprocess {dataset}",
    Action.LIST_FORMATS: "affirm-worker parsers list --country {country}",
    Action.LIST_FAILED_JOBS: "affirm-worker jobs list --state failed",
    Action.SHOW_DATASET: "affirm-worker datasets show {dataset}",
    Action.SHOW_DESCRIPTION: "affirm-worker datasets show {dataset} --description > description.toml",
    Action.SHOW_STATUS: "affirm-worker status",
    Action.LIST_SCHEDULES: "affirm-worker schedules list",
    Action.REMOVE_SCHEDULE: "affirm-worker schedules remove {name}",
    Action.LIST_POOLS: "affirm-worker pools list",
    Action.PAUSE_POOL: "affirm-worker pools pause {name}",
    Action.RESUME_POOL: "affirm-worker pools resume {name}",
    Action.PROBE_POOL: "affirm-worker pools probe {name}",
    Action.SET_POOL_MAXIMUM: "affirm-worker pools set {name} --max N",
    Action.PATCH_PARSER_POOL: "{kubectl}",
    Action.RUN_CONTROLLER: "affirm-worker run",
    Action.MIGRATE: "affirm-worker migrate",
    Action.CHOOSE_PORT: "affirm-worker db start --port N",
}


_OF_FILES = {
    Action.SUBMIT: "",
    Action.SUBMIT_WITH_YEAR: "year=YYYY",
    Action.SUBMIT_WITH_SEX: "sex=F|M",
    Action.SUBMIT_AS_FORMAT: "",
    Action.SUBMIT_SPLIT: "",
    Action.SUBMIT_AS_REPLACEMENT: "",
    Action.SUGGEST_COLUMNS: "",
    Action.SUBMIT_WITH_DESCRIPTION: "description=description.toml",
}
"""Those on files: each repeats what was said of the file, and adds this."""


def command(hint: Hint, files: Sequence[Path | str] = (), submit: str = "submit") -> str:
    """What to type.

    Args:
        hint: what is to be done.
        files: their paths, if they are known better than by the hint.
        submit: the command that the user submits files with: submit or load.
    """
    if hint.action in _OF_FILES:
        return typed(f"affirm-worker {_on_files(hint, files, submit)}")
    line = _COMMANDS[hint.action].format(
        job=hint.job_id,
        dataset=hint.dataset_id or "DATASET_ID",
        name=hint.name,
        kubectl=patch_parser_pool(hint),
        country=hint.country or "CC",
    )
    line = typed(line)
    return f"POOL={hint.name} {line}" if hint.action is Action.RUN_CONTROLLER and hint.name else line


def what_may_help(asked: Iterable[tuple[Hint, Path | str]], submit: str = "submit") -> dict[Action, list[str]]:
    """The commands that refusals ask for, by action: each once, with all the files that it is for.

    Args:
        asked: the hints, each with the path of its file; they know all that was said of it.
        submit: as of `command`.
    """
    files: dict[Hint, list[Path | str]] = {}
    for hint, path in asked:
        # Only one file can have a name, and be parsed, at a time.
        together = hint.action is not Action.SUGGEST_COLUMNS and hint.file in (None, PurePath(str(path)).name)
        files.setdefault(replace(hint, file=None) if together else hint, []).append(path)
    lines: dict[Action, list[str]] = {}
    for hint, paths in files.items():
        lines.setdefault(hint.action, []).append(command(hint, paths, submit))
    return lines


def lines_that_help(asked: Iterable[tuple[Hint, Path | str]], submit: str = "submit") -> Iterator[str]:
    """The same as lines, each action with a sentence above it."""
    for action, lines in what_may_help(asked, submit).items():
        yield ""
        yield HINTED.get(action, "See:")
        yield from (f"  {line}" for line in lines)


def _on_files(hint: Hint, files: Sequence[Path | str], submit: str) -> str:
    suggests = hint.action is Action.SUGGEST_COLUMNS
    name, _, added = _OF_FILES[hint.action].partition("=")
    said = {"year": hint.year, "sex": hint.sex, "format": hint.format, "region": hint.region, "columns": hint.columns}
    if suggests or name == "description":  # which takes the place of these
        said |= {"format": None, "columns": None}
    if name:
        said[name] = added
    named = " ".join(shlex.quote(str(file)) for file in files or [_here(hint.file or "") or "FILE"])
    words = [f"{'parse' if suggests else submit} {named} --country {hint.country or 'CC'}"]
    words += [f"--{option} {_quoted(value)}" for option, value in said.items() if value is not None]
    words += [f"--replaces {dataset}" for dataset in _replaced(hint)]
    words += ["--split"] if hint.action is Action.SUBMIT_SPLIT else []
    words += ["--suggest"] if suggests else []
    if len(files) == 1 and hint.file and PurePath(str(files[0])).name != hint.file:
        words.append(f"--name {shlex.quote(hint.file)}")
    return " ".join(words)


def _quoted(value: str) -> str:
    return value if value == "F|M" else shlex.quote(value)


def _replaced(hint: Hint) -> Iterator[str]:
    if hint.action is Action.SUGGEST_COLUMNS:
        return
    if hint.action is Action.SUBMIT_AS_REPLACEMENT:
        yield str(hint.dataset_id or "DATASET_ID")
    yield from (hint.replaces or "").split()


def error_in_words(error: RunError) -> str:
    """The error in one line, with the command that its end asks for."""
    return with_commands(str(error), error.hints)


def advice_in_words(advice: Advice) -> str:
    """The advice in one line, with the commands that it names; no full stop follows a command."""
    if not advice.hints:
        return advice.text
    return with_commands(advice.text.rstrip(".:") + _which_file(advice.hints), advice.hints)


def advice_lines(advice: Advice) -> list[str]:
    """The advice, and each command that it names on a line of its own, to be copied."""
    if not advice.hints:
        return [advice.text]
    return [
        f"{advice.text.rstrip('.:')}{_which_file(advice.hints)}:",
        *(f"    {command(hint)}" for hint in advice.hints),
    ]


def _which_file(hints: Sequence[Hint]) -> str:
    """What FILE stands for in the commands; empty if it stands in none."""
    for hint in hints:
        if hint.action in _OF_FILES and hint.file and _here(hint.file) is None:
            return f" (FILE is the path of {hint.file}, which is not in this folder)"
    return ""


def _here(name: str) -> str | None:
    """The name of a file, if there is one in the current folder: the database does not know where it was."""
    try:
        return name if Path(name).is_file() else None
    except (OSError, ValueError):
        return None


def with_commands(text: str, hints: Sequence[Hint]) -> str:
    """A text whose end asks for one of these actions, and the commands for them."""
    return ": ".join(filter(None, [text, " or ".join(map(command, hints))]))
