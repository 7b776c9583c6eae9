"""What a mutant is, and what becomes of the tests that should find it."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.kit.changes import Change, changed, texts_of, write


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard taken out.

    Args:
        changes: how.
        tests: which should find it, as pytest takes them; between spaces.
    """

    changes: tuple[Change, ...]
    tests: str


def one(path: str, before: str, after: str, tests: str) -> Mutant:
    """A mutant of one change."""
    return Mutant((Change(path, before, after),), tests)


def tried(folder: Path, changes: tuple[Change, ...], tests: str) -> tuple[str, str]:
    """Runs tests on a copy with these changes, which are undone in the end.

    Returns:
        `killed`, `survived`, `skipped` if this machine has not what the tests need, or `broken` if they did not run;
        and the test that found it, or what pytest said.
    """
    before = texts_of(folder, changes)
    write(folder, changed(before, changes))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-rfEs", "-p", "no:cacheprovider", *tests.split(" ")],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "killed", f"{tests} does not end"
    finally:
        write(folder, before)
    failed = re.search(r"^FAILED (\S+.*?)(?: - |$)", done.stdout, re.MULTILINE)
    if done.returncode == 1 and failed:
        return "killed", failed[1]
    if done.returncode == 0:
        return ("survived" if re.search(r"^\d+ passed", done.stdout, re.MULTILINE) else "skipped"), ""
    return "broken", (done.stdout + done.stderr)[-3000:]
