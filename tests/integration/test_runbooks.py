"""The commands of docs/runbooks.md are typed: ours where jobs are, those of kubectl as far as they need no cluster."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.integration.command_line import ROOT, runner
from tests.integration.world import NO_RETRIES, World

TEXT = (ROOT / "docs" / "runbooks.md").read_text()
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(kubectl [^`]+)`")
TYPED = [line for block in BLOCK.findall(TEXT) for line in block.splitlines()] + [
    span for span in SPAN.findall(BLOCK.sub("", TEXT)) if span != "kubectl patch"
]
OURS = re.compile(r"kubectl --namespace affirm-worker exec deployment/affirm-worker(?:-api)? -- affirm-worker (.*)")
FINDS_FAULTS = 1
"""`doctor` where no controller runs."""


def test_every_command_is_ours_or_one_of_kubectl() -> None:
    assert len(TYPED) > 40
    assert [line for line in TYPED if not line.startswith("kubectl ")] == []


async def test_the_commands_do_what_the_runbooks_say(world: World, tmp_path: Path) -> None:
    failed = world.submit(world.file("yob1931.txt", "Mary,F\n"))
    await world.run_until_idle(retry=NO_RETRIES)
    world.submit(world.file("yob1932.txt", "Mary,F,5\n"))
    run = runner(world.environment, tmp_path)
    tried = 0
    for command in dict.fromkeys(found[1] for line in TYPED if (found := OURS.fullmatch(line))):
        arguments = shlex.split(command.replace("5a7c910f", str(failed.job_id)))
        if arguments == ["doctor", "cluster"]:
            continue  # of a cluster
        done = run(*arguments, code=None)
        allowed = (0, FINDS_FAULTS) if arguments[0] == "doctor" else (0,)
        assert done.returncode in allowed, f"{command}: {done.stdout}{done.stderr}"
        assert done.stdout, command
        tried += 1
    assert tried > 12


@pytest.mark.parametrize("command", sorted({line for line in TYPED if not OURS.fullmatch(line)}))
def test_kubectl_takes_each_command(command: str) -> None:
    """It asks its server, which is none: a wrong option or resource name would be told first."""
    program, *arguments = shlex.split(command)
    assert program == "kubectl"
    done = subprocess.run(
        [binaries.kubectl(), "--server=http://127.0.0.1:1", *arguments],
        env={**os.environ, "KUBECONFIG": os.devnull}, capture_output=True, text=True,
    )  # fmt: skip
    assert "refused" in done.stderr, done.stderr
