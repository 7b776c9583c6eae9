"""The year and the sex that a file does not say in every row: from its title, its name or the hints, if they agree."""

import re
from collections.abc import Mapping

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.values import years_in

IN_WORDS = {"F": "girls", "M": "boys"}

# As publishers write them, glued to other words too (boysnames2022); female is looked for before male.
_WORDS: Mapping[str, str] = {
    "F": r"female|girl|pige|flick|jente|fille|meisje|mädchen|maedchen|naiset|femmin",
    "M": r"(?<!fe)male|boy|dreng|pojk|gutt|gar[cç]on|jongen|junge|miehet|masch",
}
_SEXES = {sex: re.compile(words, re.IGNORECASE) for sex, words in _WORDS.items()}


def sex_in(text: str) -> str | None:
    """The one sex that a title or a file's name speaks of; None where it speaks of none or of both."""
    found = [sex for sex, words in _SEXES.items() if words.search(text)]
    return found[0] if len(found) == 1 else None


def the_year(source: Source, within: int | None = None, place: LocalPlace | None = None, *, named: bool = False) -> int:
    """The one year of a file or sheet.

    Args:
        source: the file, its name and its hint.
        within: what its content says.
        place: where.
        named: whether the publisher puts the year in the file's name and nowhere else.

    Raises:
        Rejected: what says the year does not agree, or nothing says it.
    """
    in_name = years_in(source.own_name)
    name_says = in_name[0] if len(in_name) == 1 else None
    if within is not None:
        if name_says not in (None, within):
            raise _contradiction(source, f"the file's name says {name_says}, but its content {within}", place)
        if source.year_hint not in (None, within):
            message = f"{source.year_hint} was given as the year, but the file's content says {within}"
            raise _contradiction(source, message, place)
        return within
    if named and name_says is not None:
        if source.year_hint not in (None, name_says):
            message = f"the file's name says {name_says}, but {source.year_hint} was given as its year"
            raise _contradiction(source, message)
        return name_says
    if source.year_hint is not None:
        return source.year_hint
    expected = "expected it as four digits there, once" if named else "expected it in the title"
    where = "stands only in the file's name" if named else "is not said"
    raise source.rejected(Reason.INVALID_FILENAME, f"the year {where}: {expected}, or --year")


def check_year(source: Source, year: int, place: LocalPlace) -> None:
    """For files with a year in every row or over every column: that the year given at submit is the only one.

    Raises:
        Rejected: it is not.
    """
    if source.year_hint not in (None, year):
        raise _contradiction(source, f"{source.year_hint} was given as the year, but this is of {year}", place)


def the_sex(source: Source, within: str | None = None, place: LocalPlace | None = None, *, named: bool = False) -> str:
    """The one sex of a file or sheet; see `the_year`."""
    name_says = sex_in(source.own_name)
    if within is not None:
        if name_says not in (None, within):
            message = f"the file's name speaks of {IN_WORDS[name_says]}, but its content of {IN_WORDS[within]}"
            raise _contradiction(source, message, place)
        if source.sex_hint not in (None, within):
            message = f"{source.sex_hint} was given as the sex, but the file's content speaks of {IN_WORDS[within]}"
            raise _contradiction(source, message, place)
        return within
    if named and name_says is not None:
        if source.sex_hint not in (None, name_says):
            message = f"the file's name speaks of {IN_WORDS[name_says]}, but {source.sex_hint} was given as its sex"
            raise _contradiction(source, message)
        return name_says
    if source.sex_hint is not None:
        return source.sex_hint
    where = "stands only in the file's name: expected girls or boys, female or male there" if named else "is not said"
    raise source.rejected(Reason.INVALID_FILENAME, f"the sex {where}, or --sex")


def refuse_sex_hint(source: Source) -> None:
    """For files of both sexes.

    Raises:
        Rejected: a sex was given.
    """
    if source.sex_hint is not None:
        message = f"{source.sex_hint} was given as the sex, but this format has both, and says which is which"
        raise _contradiction(source, message)


def _contradiction(source: Source, message: str, place: LocalPlace | None = None) -> Exception:
    return source.rejected(Reason.CONTRADICTORY, message, place)
