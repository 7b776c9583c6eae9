"""CHANGELOG.md, as Keep a Changelog has it: a section for each version, the newest first."""

import re
from dataclasses import dataclass

UNRELEASED = "Unreleased"
_HEADING = re.compile(r"^## \[?([^\]\s]+)\]?(?: - (\S+))?[ \t]*$", re.MULTILINE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Section:
    """What has changed in a version.

    Args:
        name: the version, or UNRELEASED.
        date: as it stands in the heading; empty if there is none.
        body: all below the heading.
    """

    name: str
    date: str
    body: str


def sections(text: str) -> list[Section]:
    """In the order of the file."""
    found = list(_HEADING.finditer(text))
    ends = [*(one.start() for one in found[1:]), len(text)]
    return [Section(one[1], one[2] or "", text[one.end() : end].strip()) for one, end in zip(found, ends, strict=True)]


def problems(text: str, version: str, released: bool) -> list[str]:
    """What is wrong with the changelog, with what to do.

    Args:
        text: the file.
        version: of the project.
        released: the version is released now, so its changes may not stand under UNRELEASED.
    """
    by_name = {one.name: one for one in sections(text)}
    section = by_name.get(version) if released else by_name.get(version) or by_name.get(UNRELEASED)
    if section is None:
        return [f"CHANGELOG.md has no section of {version}: rename `## {UNRELEASED}` to `## {version} - YYYY-MM-DD`"]
    said = []
    if not section.body:
        said.append(f"CHANGELOG.md says nothing under `## {section.name}`: write what users notice")
    if section.name != UNRELEASED and not _DATE.fullmatch(section.date):
        said.append(f"CHANGELOG.md has no date of {version}: write `## {version} - YYYY-MM-DD`")
    left = by_name.get(UNRELEASED)
    if released and left is not None and left.body:
        said.append(f"CHANGELOG.md has changes under `## {UNRELEASED}`: move them below `## {version}`")
    return said
