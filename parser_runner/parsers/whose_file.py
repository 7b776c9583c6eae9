"""Whose file it is: one format of a country, by the content, by the uploader's word or by the file's own name.

Content proves a format if its headings are its publisher's own. Headings that many registries have prove nothing: such
a format is `shared`. It needs the uploader's word or the publisher's word in the file's name.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.hints import Action, Hint
from parser_runner.parsers.contract import AnyParser
from parser_runner.parsers.source import Source


class Recognised(NamedTuple):
    """A parser, and the match that it found."""

    parser: AnyParser
    match: Any


def is_shared(parser: AnyParser) -> bool:
    """Whether other publishers have files with the same headings."""
    return bool(getattr(parser, "shared", False))


def is_refused(parser: AnyParser) -> bool:
    """Whether the parser recognises files only to say why they cannot be loaded."""
    return bool(getattr(parser, "refused", False))


def regions_of(parser: AnyParser) -> tuple[str, ...]:
    """The regions that the uploader may name for this format; empty if the format has one only, or none."""
    return tuple(getattr(parser, "regions", ()))


def all_recognised(source: Source, parsers: Sequence[AnyParser]) -> list[Recognised]:
    """Every parser that recognises the content."""
    found = []
    for parser in parsers:
        match = parser.recognise(source)
        source.rewind()
        if match is not None:
            found.append(Recognised(parser, match))
    return found


def the_one(source: Source, country: str, found: Sequence[Recognised]) -> Recognised | None:
    """The one format of a file; None if no parser recognised it.

    Args:
        source: the file, its name and its hints.
        country: its ISO 3166-1 code.
        found: all that recognise its content.

    Raises:
        Rejected: it may be of several formats, or of one that only the uploader's word proves. Or the file's name has
            another publisher's word.
    """
    hints = source.hints
    if hints.format is not None:
        return next((one for one in found if one.parser.name == hints.format), None)
    own = [one for one in found if not is_shared(one.parser)]
    if len(own) == 1:
        return own[0]
    if own or not found:
        return _undecided(source, country, own) if own else None
    named = [one for one in found if _is_named(source, one.parser)]
    if hints.region is not None:
        fitting = [one for one in found if hints.region in _possible_regions(one.parser)]
        others = [one for one in named if one not in fitting]
        if fitting and others:
            message = f"the region was given as {hints.region}, but the file's name is of {others[0].parser.name}"
            raise source.rejected(Reason.CONTRADICTORY, message)
        if not fitting:
            known = " or ".join(_candidate(one.parser) for one in found)
            message = f"no format with these columns covers {hints.region}, only {known}"
            hint = Hint(Action.SUGGEST_COLUMNS, country=country)
            raise Rejected(Reason.UNDECIDED, source.filename, message, hints=[hint])
        return fitting[0] if len(fitting) == 1 else _undecided(source, country, fitting)
    return named[0] if len(named) == 1 else _undecided(source, country, named or found)


def check_named(source: Source, chosen: AnyParser, found: Sequence[Recognised]) -> None:
    """Refuses a format that was given, if the file's name has the word of another one with the same headings.

    Raises:
        Rejected: the name contradicts.
    """
    if _is_named(source, chosen):
        return
    for one in found:
        if one.parser is not chosen and is_shared(one.parser) and _is_named(source, one.parser):
            message = f"the format was given as {chosen.name}, but the file's name is of {one.parser.name}"
            raise source.rejected(Reason.CONTRADICTORY, message)


def region_given(source: Source, regions: Sequence[str], names: Mapping[str, str] | None = None) -> str:
    """The region that the uploader names, for a format of several.

    Args:
        source: the file and its hints.
        regions: the codes of all.
        names: what some of the codes mean.

    Raises:
        Rejected: none was given, or another one.
    """
    given = source.hints.region
    if given is not None and given in regions:
        return given
    listed = [f"{code} {(names or {}).get(code, '')}".rstrip() for code in regions]
    message = "nothing in the file says its region" if given is None else f"this format has no region {given}"
    hint = Hint(Action.SUBMIT_AS_FORMAT, format=source.findings.recognised, region="CODE")
    raise source.rejected(Reason.UNDECIDED, f"{message}: give one of {', '.join(listed)}", hints=[hint])


def check_region(source: Source, region: str | None) -> None:
    """Refuses a region that was given, if the file covers another one.

    Raises:
        Rejected: they differ.
    """
    given = source.hints.region
    if given is not None and given != region:
        message = f"the region was given as {given}, but the file covers {region or 'the whole country'}"
        raise source.rejected(Reason.CONTRADICTORY, message)


def _is_named(source: Source, parser: AnyParser) -> bool:
    """Whether the file's name has this publisher's word."""
    word = getattr(parser, "named", None)
    return word is not None and word.search(source.own_name) is not None


def _possible_regions(parser: AnyParser) -> tuple[str, ...]:
    region = getattr(parser, "region", None)
    return regions_of(parser) or ((region,) if isinstance(region, str) else ())


def _undecided(source: Source, country: str, found: Sequence[Recognised]) -> Recognised:
    parsers = [one.parser for one in found]
    of_these = "this one, say its format" if len(parsers) == 1 else "one of these, say the format"
    raise Rejected(
        Reason.UNDECIDED,
        source.filename,
        f"many publishers have such files, and nothing in this one says whose it is;"
        f" if it is of {of_these}: {' or '.join(map(_candidate, parsers))}",
        hints=[
            *(_as_said(country, parser, source.hints.region) for parser in parsers),
            Hint(Action.SUGGEST_COLUMNS, country=country),
        ],
    )


def _as_said(country: str, parser: AnyParser, region: str | None) -> Hint:
    given = region or ("CODE" if len(regions_of(parser)) > 1 else None)
    return Hint(Action.SUBMIT_AS_FORMAT, country=country, format=parser.name, region=given)


def _candidate(parser: AnyParser) -> str:
    regions = _possible_regions(parser)
    if len(regions) > 1:
        return f"{parser.name} with a region ({', '.join(regions[:3])}{', …' if len(regions) > 3 else ''})"
    return f"{parser.name} ({regions[0]})" if regions else parser.name
