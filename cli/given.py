"""The files of a command's arguments, and words about those that it passes over."""

import sys
from collections.abc import Sequence

import typer

from app.countries import iso_countries
from app.settings import Settings
from cli.screen import output
from dataset_jobs.model.requests import unknown_country
from services.sources.buckets import S3Server
from services.sources.given import STDIN, Found, Reach, find_sources
from services.sources.passed_over import PassedOver
from services.sources.source import MIB

SHOWN_NAMES = 5
NOT_ENCRYPTED = "http:// is not encrypted: anybody on the way can read and change the file; use https:// if you can"


def find_given(files: Sequence[str], settings: Settings, *, recursive: bool = False, name: str | None = None) -> Found:
    """The files that arguments name; names on stderr those that it passes over. Raises as it does."""
    if STDIN in files and name is None:
        raise typer.BadParameter("stdin has no name: give the publisher's, such as yob2023.txt", param_hint="--name")
    server = S3Server(settings.storage_s3_region.strip(), settings.storage_s3_endpoint.strip())
    reach = Reach(settings.limits.file_mib * MIB, server, lambda: sys.stdin.buffer)
    found = find_sources(files, reach, recursive=recursive, name=name)
    if found.passed_over:
        output.say(passed_over_in_words(found.passed_over), to=sys.stderr)
    for one in files:
        if one.lower().startswith("http://"):
            output.say(NOT_ENCRYPTED, to=sys.stderr)
            break
    return found


def known_country(country: str) -> str:
    """The code of a country; raises InvalidRequest with suggestions."""
    code = country.strip().upper()
    countries = iso_countries()
    if code not in dict(countries):
        raise unknown_country(country, countries)
    return code


def passed_over_in_words(passed: Sequence[PassedOver]) -> str:
    """How many, the first of them and why."""
    names = [f"{one.shown} ({one.why})" for one in passed[:SHOWN_NAMES]]
    more = len(passed) - len(names)
    folders = "; --recursive takes what is in folders" if any(one.why == "a folder" for one in passed) else ""
    return f"{len(passed):,} passed over: {', '.join(names)}{f' and {more:,} more' if more else ''}{folders}"
