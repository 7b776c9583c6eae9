"""`affirm-worker help`: what it explains is what the model and the documents say."""

import os

import pytest

from app.settings import Settings
from cli.exit_codes import IN_WORDS
from cli.wording.topics import TOPICS, topic_lines
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.meanings import CAUSES, DATASET_STATUSES, EXIT_CODES, JOB_STATES, NEXT
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.states import DatasetStatus, JobState
from docs.generate.command_line import help_texts
from parser_runner.parsers import countries, parsers_of
from tests.kit.warm_command import affirm_worker


def ask(*arguments: str) -> str:
    """What a command prints."""
    done = affirm_worker(*arguments, env=os.environ)
    done.check_returncode()
    return done.stdout


def said(topic: str, width: int = 80) -> str:
    return "\n".join(topic_lines(topic, width))


def test_every_word_of_the_model_has_a_meaning() -> None:
    assert {*DATASET_STATUSES} == {*DatasetStatus}
    assert {*JOB_STATES} == {*JobState}
    assert {*CAUSES} == {*NEXT} == {*Cause}
    assert {*EXIT_CODES} == {*ExitCode}


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("states", [*DatasetStatus, *JobState]),
        ("causes", [*Cause]),
        ("exit-codes", [*map(str, IN_WORDS), *(str(code.value) for code in ExitCode)]),
        ("formats", [parser.name for code in countries() for parser in parsers_of(code)]),
        ("settings", [name.upper() for name in Settings.model_fields]),
        ("environment", [name.upper() for name in Settings.model_fields]),
    ],
)
def test_a_topic_has_each_of_its_words(topic: str, words: list[str]) -> None:
    text = said(topic)
    assert [word for word in words if word not in text] == []
    assert "`" not in text


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("width", [40, 80, 100])
def test_a_topic_fits_the_terminal(topic: str, width: int) -> None:
    """Only a word that is wider than the terminal stands out."""
    for line in topic_lines(topic, width):
        assert len(line) <= width or len(line.split()) <= 2


@pytest.mark.parametrize("command", ["jobs list", "pools set", "schedules", "parse"])
def test_help_of_a_command_is_what_its_own_option_prints(command: str) -> None:
    words = command.split()
    assert ask("help", *words) == ask(*words, "--help")


def test_help_alone_lists_commands_and_topics() -> None:
    shown = ask("help")
    assert shown.startswith("Usage: affirm-worker [OPTIONS] COMMAND")
    assert [name for name in TOPICS if f"  {name} " not in shown] == []


def test_the_help_text_names_the_topics() -> None:
    text = " ".join(dict(help_texts())["affirm-worker"].split())
    assert "affirm-worker help TOPIC explains states, causes, exit-codes, formats and settings" in text


def test_the_version_is_named_with_the_program() -> None:
    assert ask("-V") == ask("--version")
    assert ask("-V").split()[0] == "affirm-worker"
