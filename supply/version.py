"""The version of the project: pyproject.toml has it, and every other place follows."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version as installed_version
from pathlib import Path

_OF_CHART = re.compile(r"^(?:version|appVersion): [\"']?([^\"'\s]+)", re.MULTILINE)
_OF_API = re.compile(r'^ {4}"version": "([^"]+)"$', re.MULTILINE)
_OF_IMAGES = re.compile(r"\baffirm-(?:worker|parser-runner):(\d[\w.+-]*)")
_OF_OBJECTS = re.compile(r"^ +(?:app\.kubernetes\.io/version: |helm\.sh/chart: affirm-worker-)\"?([^\"\s]+)", re.M)

_RELEASE = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")
_CHART = "charts/affirm-worker/Chart.yaml"
_MUST = {_CHART: (_OF_CHART, 2), "docs/openapi.json": (_OF_API, 1), "manifests/affirm-worker.yaml": (_OF_OBJECTS, 2)}
"""Files that name the version, and how often at least: a pattern that finds nothing checks nothing."""
_MAY = ("README.md", "CONTRIBUTING.md", "Dockerfile", "Makefile", "docs/**/*.md", "manifests/*.yaml", "charts/**/*.*")


def declared(root: Path) -> str:
    """The version in pyproject.toml."""
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def problems(root: Path, tag: str) -> list[str]:
    """Where another version stands, with what to do.

    Args:
        root: of the checkout.
        tag: that is released, `v` and the version; empty if none is.
    """
    version = declared(root)
    said = [f"{place} says {other}, and pyproject.toml {version}: {_advice(place)}" for place, other in _others(root)]
    if not _RELEASE.fullmatch(version):
        said.append(f"pyproject.toml says {version}: a version is MAJOR.MINOR.PATCH, or that with -rc.1")
    if tag and tag != f"v{version}":
        said.append(f"the tag is {tag}, and pyproject.toml says {version}: tag v{version}, or change the version first")
    return said


def _others(root: Path) -> Iterator[tuple[str, str]]:
    version = declared(root)
    if installed_version("affirm-worker") != version:
        yield "the installed package", installed_version("affirm-worker")
    for place, (pattern, least) in _MUST.items():
        found = pattern.findall((root / place).read_text())
        if len(found) < least:
            yield place, "nothing that is known here"
        yield from ((place, other) for other in sorted({*found} - {version}))
    for pages in _MAY:
        for path in sorted(root.glob(pages)):
            found = _OF_IMAGES.findall(path.read_text(errors="replace"))
            yield from ((str(path.relative_to(root)), other) for other in sorted({*found} - {version}))


def _advice(place: str) -> str:
    made = {"docs/openapi.json": "make docs", "manifests/affirm-worker.yaml": "make manifests"}
    made["the installed package"] = "touch pyproject.toml && make .venv/.run"
    return made.get(place, "write the same there")
