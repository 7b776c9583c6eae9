"""A copy of the checkout with some texts changed: the product without one safety or guard."""

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
_DATA = Path("tests", "data")


@dataclass(frozen=True, slots=True)
class Change:
    """In one file, one text for another."""

    path: str
    before: str
    after: str


def copy(folder: Path) -> None:
    """Copies the checkout to a folder that does not exist yet; the data of tests is only linked."""
    kept = ROOT / _DATA
    shutil.copytree(
        ROOT, folder, ignore=lambda at, names: {*_LEFT_OUT(at, names), *(["data"] if Path(at) == kept.parent else [])}
    )
    (folder / _DATA).symlink_to(kept)


def texts_of(folder: Path, changes: tuple[Change, ...]) -> dict[str, str]:
    """The files that are changed, as they are in a folder, by path."""
    return {change.path: (folder / change.path).read_text(encoding="utf-8") for change in changes}


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


def write(folder: Path, texts: dict[str, str]) -> None:
    """Writes texts by their paths."""
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")
