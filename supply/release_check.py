"""`python -m supply.release_check`: whether this checkout can be released, with what to do about each fault.

If TAG is set, the version must be the tag's, its changes must stand under it with a date, and BASE must name the base
image by its digest. `--notes` prints what has changed in the version instead.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from supply import changelog, version
from supply.installed import ROOT
from tests.cluster import binaries

_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")


def problems(tag: str, base: str, root: Path = ROOT) -> Iterator[str]:
    """All that stands against a release.

    Args:
        tag: that is released; empty if none is.
        base: the image that ours stand on.
        root: of the checkout.
    """
    yield from version.problems(root, tag)
    text = (root / "CHANGELOG.md").read_text()
    yield from changelog.problems(text, version.declared(root), released=bool(tag))
    yield from of_base(tag, base)
    yield from _documents()
    yield from _chart(root)


def of_base(tag: str, base: str) -> Iterator[str]:
    """What is wrong with the image that a release stands on; the arguments are those of `problems`."""
    if tag and not _DIGEST.fullmatch(base):
        yield f"BASE is {base or 'empty'}: a release stands on an image by its digest, BASE=name@sha256:…"


def _documents() -> Iterator[str]:
    # Each imports what it documents, which is most of the product.
    from docs.generate.__main__ import DOCUMENTS

    for document in DOCUMENTS:
        if document.PAGE.read_text(encoding="utf-8") != document.page():
            yield f"{document.PAGE.relative_to(ROOT)} is not what the code says: make docs"


def _chart(root: Path) -> Iterator[str]:
    values = root / "manifests" / "values.yaml"
    chart = ("affirm-worker", root / "charts" / "affirm-worker", "--values", values)
    linted = _helm("lint", "--strict", *chart[1:])
    if linted.returncode:
        yield f"helm lint: {linted.stdout.strip()}"
    rendered = _helm("template", *chart, "--namespace", "affirm-worker")
    if rendered.returncode:
        yield f"helm template: {rendered.stderr.strip()}"
    elif rendered.stdout != (root / "manifests" / "affirm-worker.yaml").read_text():
        yield "manifests/affirm-worker.yaml is not what the chart renders: make manifests"


def _helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binaries.helm(), *arguments], capture_output=True, text=True, check=False)


def main(arguments: list[str]) -> int:
    """Prints what is wrong, or the notes; the exit code is 1 if anything is."""
    ours = version.declared(ROOT)
    if arguments == ["--notes"]:
        bodies = [one.body for one in changelog.sections((ROOT / "CHANGELOG.md").read_text()) if one.name == ours]
        sys.stdout.writelines(f"{body}\n" for body in bodies or [f"CHANGELOG.md has no section of {ours}"])
        return 0 if bodies else 1
    tag = os.environ.get("TAG", "")
    found = list(problems(tag, os.environ.get("BASE", "")))
    sys.stdout.writelines(f"{one}\n" for one in found)
    if not found:
        sys.stdout.write(f"{ours} can be released\n" if tag else f"{ours}: all agree; with TAG=v{ours} more is asked\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
