"""The first screen of README.md is a recording: its commands print what stands there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MASKED = [
    (r"[\d.]+ s \([\d,]+ rows/s\)", "SECONDS"),
    (r"\(job [0-9a-f]{8}\)", "(job ID)"),
    (
        r"(?m)^the whole story(, with the same DATABASE_URL)?: .*affirm-worker jobs explain [0-9a-f]{8}$",
        "the whole story",
    ),
]
"""What differs from run to run, and from place to place."""


def masked(text: str) -> str:
    for pattern, instead in MASKED:
        text = re.sub(pattern, instead, text)
    return text


def recorded() -> list[tuple[str, str]]:
    """The commands of the recording, and what each printed."""
    [block] = re.findall(r"(?ms)^```console\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"))
    parts = re.split(r"(?m)^\$ (.*)\n", block)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The publisher's file, and a piece of another one with a letter for a figure in line 97."""
    whole = (ROOT / "tests/data/us/national/yob2024.txt").read_text()
    (tmp_path / "yob2024.txt").write_text(whole)
    lines = whole.splitlines(keepends=True)[:200]
    lines[96] = lines[96].replace("0", "o", 1).replace("1", "l", 1).replace("2", "z", 1)
    (tmp_path / "yob2023.txt").write_text("".join(lines))
    return tmp_path


def test_the_recording_is_what_is_printed(folder: Path, database: str) -> None:
    environment = {**os.environ, "DATABASE_URL": database, "STORAGE_PATH": str(folder / "storage"), "COLUMNS": ""}
    (folder / "storage").mkdir()
    job = ""
    for command, printed in recorded():
        program, *arguments = shlex.split(re.sub(r"\b[0-9a-f]{8}\b", job, command))
        assert program == "affirm-worker"
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        job = job or re.findall(r"\(job ([0-9a-f]{8})\)", done.stdout)[0]
        # A line with an ellipsis stands for any number of lines.
        expected = "(?s:.*)".join(map(re.escape, re.split(r"…\n?", masked(printed).rstrip("\n"))))
        assert re.fullmatch(expected, masked(done.stdout).rstrip("\n")), done.stdout + done.stderr
