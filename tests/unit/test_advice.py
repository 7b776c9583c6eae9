"""What people are told to do: something for every end of a run, and only with commands that there are."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest

from cli.wording.hints import advice_in_words, advice_lines, command
from dataset_jobs.model.advice import ADVICE, HINTED, REASONS, Subject, advice_on_end, advice_on_waiting, next_steps
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.states import JobState
from docs.generate.command_line import help_texts

ROOT = Path(__file__).parents[2]
JOB, DATASET = UUID(int=1), UUID(int=2)
HELP = {path.removeprefix("affirm-worker "): text for path, text in help_texts()}
COMMANDS = HELP.keys()
GROUPS = {path.split()[0] for path in COMMANDS if " " in path}


def job(state: JobState = JobState.FAILED, *, reload: bool = False) -> Subject:
    return Subject(JOB, DATASET, "GB", "a file.csv", state, reload)


ENDS: list[tuple[Cause, Reason | None]] = [
    *((cause, None) for cause in Cause),
    *((Cause.REJECTED, reason) for reason in Reason),
]
ALL: list[Advice] = [
    *(
        advice
        for state, reload, (cause, reason) in product(JobState, (False, True), ENDS)
        for advice in (*advice_on_end(job(state, reload=reload), cause, reason),
                       *next_steps(job(state, reload=reload), cause, reason))
    ),
    *(step for word in (*Reason, Cause.UNAVAILABLE) for step in advice_on_waiting(job(JobState.RUNNING), word)),
    *next_steps(replace(job(JobState.RUNNING), cancelling=True)),
    *(step for action in HINTED for step in advice_on_end(job(), Cause.REJECTED, None, [Hint(action)])),
]  # fmt: skip
TEXTS = sorted({advice_in_words(advice) for advice in ALL})


def words(cause: Cause, reason: Reason | None = None, about: Subject | None = None, error: str = "") -> str:
    """All that is said of a run that ended so, and of its job."""
    subject = about or job()
    advice = [*advice_on_end(subject, cause, reason, error=error), *next_steps(subject, cause, reason)]
    return " ".join(map(advice_in_words, advice))


def test_there_is_advice_for_every_cause_and_every_reason() -> None:
    assert ADVICE.keys() == {*Cause}
    assert REASONS.keys() == {*Reason}


def test_only_a_completed_job_needs_nothing() -> None:
    assert {state for state in JobState if not [*next_steps(job(state))]} == {JobState.COMPLETED}


@pytest.mark.parametrize("text", TEXTS)
def test_advice_is_whole_sentences_with_ids_filled_in(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".") or "affirm-worker " in text
    assert "{" not in text
    assert "None" not in text
    assert not re.search(r"\b(above|below)\b", text), "advice is shown on several pages"


@pytest.mark.parametrize("action", sorted({*Action} - {Action.PATCH_PARSER_POOL}))
def test_every_action_is_a_command_that_is_there(action: Action) -> None:
    line = command(Hint(action, JOB, DATASET, "name"))
    words = line.partition("affirm-worker ")[2].split()
    [path] = {words[0], " ".join(words[:2])} & COMMANDS - GROUPS
    assert {word for word in words if word.startswith("--")} <= set(re.split(r"[\s,]+", HELP[path]))
    assert "None" not in line


def test_a_parser_pool_is_patched_by_a_line_that_a_shell_can_read() -> None:
    hint = Hint(Action.PATCH_PARSER_POOL, name="name", namespace="names", patch='{"spec":{"paused":true}}')
    assert shlex.split(command(hint)) == [
        "kubectl", "patch", "parserpool", "name", "-n", "names", "--type", "merge", "-p", '{"spec":{"paused":true}}',
    ]  # fmt: skip
    assert " -n NAMESPACE " in command(Hint(Action.PATCH_PARSER_POOL, name="name", patch="{}"))


def messages() -> Iterator[tuple[str, str]]:
    """The texts of the product that people read, each with its file; not its docstrings."""
    for folder in ("app", "cli", "controller", "dataset_jobs", "parser_runner", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                    yield path.name, node.value


def test_every_command_in_a_message_is_there() -> None:
    named = [
        (file, words)
        for file, text in messages()
        for words in re.findall(r"(?:[:`] ?|\btype |^ {4})affirm-worker ([a-z]+(?: [a-z]+)?)", text, re.MULTILINE)
    ]
    assert len(named) > 5
    for file, words in named:
        assert words in COMMANDS or words.split()[0] in COMMANDS - GROUPS, f"{file}: affirm-worker {words}"


def test_every_hint_of_a_refused_file_has_its_words() -> None:
    sources = [*(ROOT / "parser_runner").rglob("*.py"), ROOT / "dataset_jobs" / "store" / "coverage.py"]
    used = {word for path in sources for word in re.findall(r"\bAction\.([A-Z_]+)", path.read_text())}
    assert {Action[word] for word in used} == HINTED.keys()


def test_a_command_stands_on_a_line_of_its_own() -> None:
    [advice] = next_steps(job(JobState.CANCELLED))
    assert advice_lines(advice) == [
        "To put it back into the queue, retry the job:",
        f"    affirm-worker jobs retry {JOB}",
    ]


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.counts_as is CountsAs.INTERRUPTION])
def test_an_interruption_is_said_to_use_no_attempt_while_that_is_true(cause: Cause) -> None:
    """A job that failed after eleven interruptions is not queued again by itself."""
    assert words(cause, about=job(JobState.QUEUED)).startswith("Nothing is to be done: no attempt is used")
    assert "by itself" not in words(cause)


@pytest.mark.parametrize(("cause", "reason"), ENDS)
def test_nothing_goes_on_by_itself_after_a_job_has_failed(cause: Cause, reason: Reason | None) -> None:
    assert "by itself" not in words(cause, reason)


@pytest.mark.parametrize("reason", [reason for reason in Reason if not REASONS[reason].retry])
def test_what_can_only_fail_again_is_not_to_be_retried(reason: Reason) -> None:
    assert "jobs retry" not in words(Cause.REJECTED, reason)


@pytest.mark.parametrize(("cause", "reason"), ENDS)
def test_nobody_is_told_to_delete_rows_that_are_loaded(cause: Cause, reason: Reason | None) -> None:
    """They are there if a dataset could not be loaded again. Only an overlap asks which of the two is to stay."""
    if reason is not Reason.OVERLAPPING:
        assert "datasets delete" not in words(cause, reason, job(reload=True))


def test_lines_are_to_be_fixed_only_if_they_are_named() -> None:
    assert "Fix the lines" in words(Cause.REJECTED, Reason.INVALID_FORMAT, error="a file.csv, line 2: no name")
    whole = words(Cause.REJECTED, Reason.INVALID_FORMAT, error="a file.csv: the file is empty")
    assert "Fix the lines" not in whole
    assert "affirm-worker parsers list --country GB" in whole


def test_a_refusal_that_knows_the_country_is_followed() -> None:
    hints = [Hint(Action.SUBMIT_AS_FORMAT, country="FR"), Hint(Action.SUGGEST_COLUMNS)]
    found = [*advice_on_end(job(), Cause.REJECTED, Reason.INVALID_FORMAT, hints)]
    assert [advice.text for advice in found] == [HINTED[hint.action] for hint in hints]
    assert "affirm-worker submit FILE --country FR" in advice_in_words(found[0])
    assert "affirm-worker parse FILE --country GB --suggest" in advice_in_words(found[1])


def test_an_option_that_contradicts_is_not_repeated() -> None:
    about = replace(job(), said=FileHints(year=2020, sex="F"))
    assert "--year 2020 --sex F" in words(Cause.REJECTED, Reason.INVALID_FORMAT, about, "a file.csv, line 2: no name")
    assert "--year" not in words(Cause.REJECTED, Reason.CONTRADICTORY, about)


def test_a_region_is_not_repeated_for_another_country() -> None:
    about = replace(job(), said=FileHints(year=2020, region="GB-SCT"))
    [elsewhere] = advice_on_end(about, Cause.REJECTED, None, [Hint(Action.SUBMIT_AS_FORMAT, country="FR")])
    assert advice_in_words(elsewhere).endswith("submit FILE --country FR --year 2020")


def test_a_file_is_named_only_if_it_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [advice] = advice_on_end(job(), Cause.REJECTED, None, [Hint(Action.SUBMIT_WITH_YEAR)])
    first, line = advice_lines(advice)
    assert first.endswith("(FILE is the path of a file.csv, which is not in this folder):")
    assert line.endswith("affirm-worker submit FILE --country GB --year YYYY")
    (tmp_path / "a file.csv").touch()
    first, line = advice_lines(advice)
    assert "FILE" not in first
    assert line.endswith("affirm-worker submit 'a file.csv' --country GB --year YYYY")


def test_every_command_is_for_the_home_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFIRM_WORKER_HOME", "/a home")
    assert command(Hint(Action.RETRY_JOB, JOB)) == f"AFFIRM_WORKER_HOME='/a home' affirm-worker jobs retry {JOB}"
    patched = Hint(Action.PATCH_PARSER_POOL, name="slow", namespace="affirm-worker", patch="{}")
    assert command(patched).startswith("kubectl patch parserpool slow -n affirm-worker --type")


def test_a_reason_says_more_than_its_cause() -> None:
    assert words(Cause.CANNOT_START, Reason.IMAGE).startswith("See that the runner's image")
    assert str(DATASET) in words(Cause.REJECTED, Reason.INVALID_FORMAT)
    assert str(JOB) in words(Cause.CANCELLED)


def test_a_job_that_is_being_cancelled_is_not_to_be_cancelled_again() -> None:
    [being_cancelled] = next_steps(replace(job(JobState.RUNNING), cancelling=True))
    [running] = next_steps(job(JobState.RUNNING))
    assert being_cancelled.hints == ()
    assert [hint.action for hint in running.hints] == [Action.CANCEL_JOB]


@pytest.mark.parametrize(
    "hint", [Hint(Action.SUBMIT_AS_FORMAT, country="FR", region="CODE"), Hint(Action.CANCEL_JOB, JOB, DATASET)]
)
def test_a_hint_is_kept_as_json(hint: Hint) -> None:
    assert Hint.from_dict(hint.as_dict()) == hint
    assert Hint.from_dict({**hint.as_dict(), "action": "of_a_newer_version"}) is None
    assert Hint.from_dict([]) is None
