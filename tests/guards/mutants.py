"""What a mutant is, and what becomes of the tests that should find it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.mutants import ROOT, Change

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
_DATA = Path("tests", "data")


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


def changed(texts: dict[str, str], changes: tuple[Change, ...]) -> dict[str, str]:
    """The texts of the files that are changed, by path; raises where a change does not fit any more.

    Args:
        texts: of all files that are changed.
        changes: in this order.
    """
    texts = dict(texts)
    for change in changes:
        found = texts[change.path].count(change.before)
        if found != 1 or change.before == change.after:
            raise ValueError(f"{change.path}: {change.before!r} stands there {found} times")
        texts[change.path] = texts[change.path].replace(change.before, change.after)
    return texts


def texts_of(folder: Path, changes: tuple[Change, ...]) -> dict[str, str]:
    """The files that are changed, as they are in a folder."""
    return {change.path: (folder / change.path).read_text(encoding="utf-8") for change in changes}


def copy(folder: Path) -> None:
    """Copies the checkout to a folder that does not exist yet; the data of tests is only linked."""
    kept = ROOT / _DATA
    shutil.copytree(
        ROOT, folder, ignore=lambda at, names: {*_LEFT_OUT(at, names), *(["data"] if Path(at) == kept.parent else [])}
    )
    (folder / _DATA).symlink_to(kept)


def tried(folder: Path, changes: tuple[Change, ...], tests: str) -> tuple[str, str]:
    """Runs tests on a copy with these changes, which are undone in the end.

    Returns:
        `killed`, `survived`, `skipped` if this machine has not what the tests need, or `broken` if they did not run;
        and the test that found it, or what pytest said.
    """
    before = texts_of(folder, changes)
    _write(folder, changed(before, changes))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-rfEs", "-p", "no:cacheprovider", *tests.split(" ")],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "killed", f"{tests} does not end"
    finally:
        _write(folder, before)
    failed = re.search(r"^FAILED (\S+.*?)(?: - |$)", done.stdout, re.MULTILINE)
    if done.returncode == 1 and failed:
        return "killed", failed[1]
    if done.returncode == 0:
        return ("survived" if re.search(r"^\d+ passed", done.stdout, re.MULTILINE) else "skipped"), ""
    return "broken", (done.stdout + done.stderr)[-3000:]


def _write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")
