"""Parses contents that a test has at hand, under the name that they come with."""

import io
import zipfile
from collections.abc import Mapping

import pytest

from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.report import Report
from parser_runner.parsers import Parsed, Source, parse_whole
from parser_runner.parsers.report import report

Content = str | bytes


def source(
    content: Content,
    name: str,
    year: int | None = None,
    sex: str | None = None,
    limits: Limits | None = None,
    hints: FileHints | None = None,
) -> Source:
    data = content.encode() if isinstance(content, str) else content
    return Source(name, io.BytesIO(data), hints or FileHints(year=year, sex=sex), limits)


def opened(
    content: Content,
    name: str,
    country: str,
    year: int | None = None,
    sex: str | None = None,
    hints: FileHints | None = None,
) -> Parsed:
    return parse_whole(source(content, name, year, sex, hints=hints), country)


def rows(
    content: Content,
    name: str,
    country: str,
    year: int | None = None,
    sex: str | None = None,
    hints: FileHints | None = None,
) -> list[tuple[int, str, str, int]]:
    return [row[:4] for row in opened(content, name, country, year, sex, hints).rows]


def reported(content: Content, name: str, country: str, hints: FileHints | None = None) -> Report:
    return report(source(content, name, hints=hints), country)


def refusal(
    content: Content,
    name: str,
    country: str,
    year: int | None = None,
    sex: str | None = None,
    limits: Limits | None = None,
    hints: FileHints | None = None,
) -> Rejected:
    with pytest.raises(Rejected) as caught:
        list(parse_whole(source(content, name, year, sex, limits, hints), country).rows)
    return caught.value


def zipped(members: Mapping[str, Content]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()
