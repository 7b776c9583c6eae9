"""Parses contents that a test has at hand, under the name that they come with."""

import io
import zipfile
from collections.abc import Mapping

import pytest

from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import Limits
from parser_runner.parsers import Parsed, Source, parse_whole
from parser_runner.parsers.report import Report, report

Content = str | bytes


def source(
    content: Content, name: str, year: int | None = None, sex: str | None = None, limits: Limits | None = None
) -> Source:
    data = content.encode() if isinstance(content, str) else content
    return Source(name, io.BytesIO(data), year, sex, limits)


def opened(content: Content, name: str, country: str, year: int | None = None, sex: str | None = None) -> Parsed:
    return parse_whole(source(content, name, year, sex), country)


def rows(
    content: Content, name: str, country: str, year: int | None = None, sex: str | None = None
) -> list[tuple[int, str, str, int]]:
    return [row[:4] for row in opened(content, name, country, year, sex).rows]


def reported(content: Content, name: str, country: str) -> Report:
    return report(source(content, name), country)


def refusal(
    content: Content,
    name: str,
    country: str,
    year: int | None = None,
    sex: str | None = None,
    limits: Limits | None = None,
) -> Rejected:
    with pytest.raises(Rejected) as caught:
        list(parse_whole(source(content, name, year, sex, limits), country).rows)
    return caught.value


def zipped(members: Mapping[str, Content]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()
