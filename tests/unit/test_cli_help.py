"""What `affirm-worker` says of itself."""

import os
import re
import subprocess
import sys

import pytest

from cli.lazy import SHORT_HELPS, command
from docs.generate.command_line import PAGE, help_texts, page
from tests.kit.warm_command import affirm_worker

HELP = dict(help_texts())
COMMANDS = [
    "load", "submit", "reprocess", "run", "parse", "migrate", "psql", "doctor",
    "status", "watch", "jobs list", "jobs show", "jobs explain", "jobs logs", "jobs cancel", "jobs set", "jobs retry",
    "jobs purge",
    "datasets list", "datasets show", "datasets delete", "datasets clean", "parsers list", "parsers check",
    "schedules add", "schedules list", "schedules show", "schedules run", "schedules pause",
    "schedules resume", "schedules remove",
    "pools list", "pools show", "pools pause", "pools resume", "pools probe", "pools set", "help",
    "db start", "db stop", "db url", "db status",
    "serve", "upload", "keys make", "keys list", "keys revoke", "openapi",
    "settings", "context list", "context use", "context show", "context add", "context remove",
]  # fmt: skip


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return affirm_worker(*arguments, env=os.environ)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_help_text_with_examples(path: str) -> None:
    text = HELP[f"affirm-worker {path}"]
    examples = text.partition("Examples:\n")[2].splitlines()
    assert examples
    assert all(f"affirm-worker {path}" in line for line in examples)


def options(command: str) -> set[str]:
    """The long options in a command's help."""
    return set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", HELP[f"affirm-worker {command}"], re.MULTILINE))


def test_load_submit_and_schedules_have_the_same_options_for_files() -> None:
    hints = {"--year", "--sex", "--format", "--region", "--columns", "--description", "--measure"}
    assert hints <= options("parse") & options("schedules add")
    assert hints | {"--replaces", "--split", "--recursive", "--name", "--dry-run"} <= options("load")
    assert options("submit") - options("load") <= {"--run-at", "--wait", "--timeout"}, "load waits for its jobs anyway"
    assert options("load") <= options("submit")


def test_nothing_is_left_out_of_the_list_of_commands() -> None:
    assert set(HELP) == {f"affirm-worker {command}" for command in COMMANDS} | {
        "affirm-worker", "affirm-worker completion", "affirm-worker pools", "affirm-worker jobs",
        "affirm-worker datasets", "affirm-worker parsers", "affirm-worker schedules", "affirm-worker db",
        "affirm-worker context", "affirm-worker keys",
    }  # fmt: skip


def test_the_first_sentences_fit_on_a_line_of_a_terminal() -> None:
    shown = run("--help").stdout
    assert "..." not in shown.partition("Commands:")[2].partition("Settings")[0]


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("path", ["", "jobs", "jobs list", "datasets", "schedules", "run", "submit"])
def test_help_breaks_no_word_and_cuts_no_sentence(path: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    words = run(*path.split(), "--help").stdout
    for line in words.splitlines():
        assert len(line) <= width or "affirm-worker " in line or len(line.split()) == 1, line
    assert "..." not in words.partition("Commands:")[2]
    assert not [line for line in words.splitlines() if line.endswith("affirm-")]


def test_help_needs_nothing_heavy() -> None:
    code = "import sys, cli.main; cli.main.app(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "cli.screen.output" in loaded
    assert not loaded & {"psycopg", "pydantic_settings", "boto3", "kubernetes", "kopf", "rich.console", "aiohttp"}


@pytest.mark.parametrize("name", SHORT_HELPS)
def test_the_short_help_of_a_command_is_its_own(name: str) -> None:
    assert command(name).get_short_help_str(200) == SHORT_HELPS[name]


def test_the_page_about_the_command_line_says_what_the_help_says() -> None:
    assert PAGE.read_text() == page(), "run `make docs`"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["submit"], 2, "Missing argument"),
        (["submit", "x.txt"], 2, "--country"),
        (["nonsense"], 2, "No such command"),
        (["poools"], 2, "Did you mean 'pools'?"),
        (["pools", "lst"], 2, "Did you mean 'list'"),
        (["pools", "list", "--jsn"], 2, "--json"),
        (["pools", "set", "default"], 2, "expected at least one of them"),
        (["help", "jbos"], 2, "there is no command or topic 'jbos'; did you mean jobs?"),
        (["help", "jobs", "lst"], 2, "there is no command or topic 'jobs lst'; did you mean jobs list?"),
        (["help", "exit-code"], 2, "did you mean exit-codes?"),
        (["help", "migrate", "now"], 2, "it has none"),
        (["parse", "missing.txt", "--country", "US"], 65, "affirm-worker: missing.txt: no such file or directory"),
        (["parse", "missing.txt", "--country", "UK"], 65, "did you mean GB"),
        (["parse", "missing.txt", "--country", "US", "--sex", "x"], 2, "sex 'x': must be F or M"),
        (["parse", "missing.txt", "--country", "US", "--year", "1"], 2, "year 1: must be from 1800 to 2100"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line_without_a_traceback(arguments: list[str], code: int, said: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_wrong_setting_ends_with_the_exit_code_for_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h:port:5/names?nonsense=1")
    done = run("jobs", "list")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("affirm-worker: DATABASE_URL is postgresql://...; allowed: ")
    assert "hunter2" not in done.stderr
