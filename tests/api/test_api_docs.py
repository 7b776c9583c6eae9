"""docs/api.md: its commands are run, and do what stands there."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from app.settings import Settings
from tests.api.client import Api
from tests.integration.command_line import ROOT, affirm_worker

PAGE = ROOT / "docs/api.md"


def commands(program: str) -> list[str]:
    """The lines of the page's shell blocks that call a program."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
    return [line for block in blocks for line in block.splitlines() if line.startswith(program)]


@pytest.mark.needs("curl")
def test_every_curl_line_is_answered(api: Api, tmp_path: Path) -> None:
    lines = commands("curl ")
    assert len(lines) > 8
    environment = {**os.environ, "API": f"http://127.0.0.1:{api.listening.port}", "KEY": api.keys["admin"]}
    statuses = {}
    for line in lines:
        asked = line.replace("curl ", "curl --silent --show-error --output answer --write-out '%{http_code}' ", 1)
        done = subprocess.run(
            ["sh", "-c", asked], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
        )
        statuses[line] = int(done.stdout)
    wrong = {line: status for line, status in statuses.items() if status >= 300}
    assert [*wrong.values()] == [404]
    assert "/v1/countries/UX" in next(iter(wrong))


def test_every_command_of_the_page_works(api: Api) -> None:
    environment = {**os.environ, **api.world.environment}
    for line in commands("affirm-worker keys"):
        done = affirm_worker(*shlex.split(line)[1:], env=environment, cwd=api.world.folder)
        assert done.returncode == 0, done.stderr


def test_the_error_on_the_page_has_the_members_that_there_are(api: Api) -> None:
    [block] = re.findall(r"(?ms)^```json\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
    shown, real = json.loads(block), api.get("/v1/countries/UX").json
    assert shown.keys() <= real.keys()
    assert {name: real[name] for name in ("type", "title", "status", "code")} == {
        name: shown[name] for name in ("type", "title", "status", "code")
    }


def test_the_settings_on_the_page_exist() -> None:
    named = set(re.findall(r"\bAPI_[A-Z_]+[A-Z]", PAGE.read_text(encoding="utf-8")))
    assert named <= {name.upper() for name in Settings.model_fields}
