"""What a shell completes at TAB, asked as bash asks: by the script that `affirm-worker completion` prints."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.warm_command import ROOT

BASH = shutil.which("bash") or "bash"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment with the command in it, and an empty home."""
    command = tmp_path / "bin" / "affirm-worker"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    command.chmod(0o755)
    return {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "AFFIRM_WORKER_HOME": str(tmp_path / "home"),
    }


def at_tab(env: dict[str, str], *lines: str) -> list[list[str]]:
    """What bash offers at the ends of these lines, one after the other. It must print nothing else."""
    asking = "\n".join(
        f"""COMP_WORDS=({line}{' ""' if line.endswith(" ") else ""}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        COMPREPLY=(); _affirm_worker_completion affirm-worker; echo "${{COMPREPLY[*]}}" """
        for line in lines
    )
    script = f"source <(affirm-worker completion bash)\ncomplete -p affirm-worker >/dev/null\n{asking}"
    done = subprocess.run([BASH, "-c", script], env=env, capture_output=True, text=True, timeout=100, check=True)
    assert done.stderr == ""
    return [line.split() for line in done.stdout.splitlines()]


def test_bash_completes_commands_options_and_values(env: dict[str, str]) -> None:
    offered = at_tab(
        env,
        "affirm-worker po",
        "affirm-worker pools ",
        "affirm-worker pools set default --m",
        "affirm-worker submit x --country D",
        "affirm-worker submit x --country AU --format au-v",
        "affirm-worker jobs list --state c",
        "affirm-worker completion ",
        "affirm-worker help exit",
        "affirm-worker help jobs lo",
        "affirm-worker no-such-command x",
        "affirm-worker submit yob",
    )
    assert offered == [
        ["pools"],
        ["list", "show", "pause", "resume", "probe", "set"],
        ["--max", "--max-pending"],
        ["DE", "DK"],
        ["au-vic", "au-vic-by-sex"],
        ["completed", "cancelled"],
        ["bash", "zsh", "fish"],
        ["exit-codes"],
        ["logs"],
        [],
        [],  # bash offers files itself
    ]


def test_contexts_are_completed_and_no_secret_is_read(env: dict[str, str], tmp_path: Path) -> None:
    """A command for a secret might ask for a password."""
    config = tmp_path / "config.toml"
    config.write_text(
        'current = "prod"\n[contexts.prod]\n'
        f'database_url = {{command = ["touch", "{tmp_path}/asked"]}}\n'
        '[contexts.laptop]\naffirm_worker_home = "~/names"\n'
    )
    offered = at_tab(
        {**env, "AFFIRM_WORKER_CONFIG": str(config)},
        "affirm-worker --context p",
        "affirm-worker jobs list --context l",
        "affirm-worker context use ",
        "affirm-worker pools show ",
    )
    assert offered == [["prod"], ["laptop"], ["prod", "laptop"], []]
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("url", ["", "postgresql://nobody@127.0.0.1:1/none", "nonsense://"])
def test_nothing_is_started_or_printed_for_names(env: dict[str, str], url: str, tmp_path: Path) -> None:
    """Whatever the database is: none, away or misspelt."""
    assert at_tab({**env, "DATABASE_URL": url}, "affirm-worker pools show ") == [[]]
    assert not (tmp_path / "home").exists()


def test_contexts_are_completed_and_no_secret_is_asked_for(env: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    url = f"database_url = {{command = ['touch', '{tmp_path}/asked']}}"
    config.write_text(f"current = 'prod'\n[contexts.dev]\n[contexts.prod]\n{url}\n")
    lines = ("affirm-worker --context ", "affirm-worker jobs list --context p", "affirm-worker context use d",
             "affirm-worker pools show ")  # fmt: skip
    assert at_tab({**env, "AFFIRM_WORKER_CONFIG": str(config)}, *lines) == [["dev", "prod"], ["prod"], ["dev"], []]
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script_that_it_can_read(env: dict[str, str], shell: str) -> None:
    done = subprocess.run(
        ["affirm-worker", "completion", shell], env=env, capture_output=True, text=True, timeout=120, check=True
    )
    assert "_AFFIRM_WORKER_COMPLETE=complete_" in done.stdout
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=done.stdout, text=True, timeout=120, check=True)


def test_another_shell_is_refused_by_name(env: dict[str, str]) -> None:
    done = subprocess.run(
        ["affirm-worker", "completion", "tcsh"], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr


def test_without_a_shell_the_shells_are_named_in_a_line(env: dict[str, str]) -> None:
    done = subprocess.run(
        ["affirm-worker", "completion"], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Choose from: bash, zsh, fish" in done.stderr
