"""Packages with parsers, as pip leaves them in a folder: one module each, named by an entry point."""

from pathlib import Path

GOOD = """
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="{format}",
        description="lines of {heading},Births",
        columns=Columns(name=("{heading}",), count=("births",)),
    )
]
"""
"""The text of a module whose parser reads a list under this heading."""


def good(format: str, heading: str = "first name") -> str:
    """A module with a parser of this format."""
    return GOOD.format(format=format, heading=heading)


def make_package(folder: Path, name: str, text: str | None, country: str = "LI") -> None:
    """A package with a module of the same name.

    Args:
        folder: to be on sys.path.
        name: of the package, with hyphens.
        text: of its module; None for no module.
        country: that it has parsers for.
    """
    module = name.replace("-", "_")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[affirm_worker.parsers]\n{country.lower()} = {module}\n")
    if text is not None:
        (folder / f"{module}.py").write_text(text)
