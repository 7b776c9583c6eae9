"""The year and the sex of a whole file: from its title, its name or the hints, if they agree."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.hints import Action, Hint
from parser_runner.parsers.named_period import year_named
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace

IN_WORDS = {"F": "girls", "M": "boys"}

_YEAR = "the file has no year: expected it in the title"
_NAMED_YEAR = "the year stands only in the file's name: expected it as four digits there, once"
_SEX = "the file has no sex: expected girls or boys in the title"
_NAMED_SEX = "the sex stands only in the file's name: expected girls or boys, female or male there"

_WORDS: Mapping[str, str] = {
    "F": (
        "female females girl girls pige piger pigers pigenavn pigenavne flicka flickor flickors flicknamn jente jenter"
        " jentenavn fille filles meisje meisjes mädchen maedchen mädchennamen maedchennamen naiset femminile femminili"
    ),
    "M": (
        "male males boy boys dreng drenge drenges drengenavn drengenavne pojke pojkar pojkars pojknamn gutt gutter"
        " guttenavn garçon garçons garcon garcons jongen jongens junge jungen jungennamen miehet maschile maschili"
    ),
}
_SEXES = {word: sex for sex, words in _WORDS.items() for word in words.split()}
_GLUED = re.compile(
    "(?:baby|desktop|no|topnames)?(?:(?P<F>female|girl)|(?P<M>male|boy))s?(?:cy|cytop|names?|namesupdated)?", re.ASCII
)
"""Words that publishers glue together: boysnames2022, cusersjacksm01desktopfemalecy2017top, nofemales."""

_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile("(?<=[a-z])(?=[A-Z])")


def detect_sex(text: str) -> str | None:
    """The one sex in a title or a file's name; None if there is none, or both.

    A word counts as a word only: there is no male in normaleksport. Figures, signs, and a capital letter after a small
    one (BabyGirls) part words.
    """
    found = set(filter(None, map(_sex_of_word, _words(text))))
    return found.pop() if len(found) == 1 else None


def _words(text: str) -> Iterator[str]:
    # Names of files may have accents as signs of their own.
    for word in _WORD.findall(unicodedata.normalize("NFC", text)):
        yield from _HUMP.split(word)


def _sex_of_word(word: str) -> str | None:
    word = word.casefold()
    glued = _GLUED.fullmatch(word)
    return _SEXES.get(word) or (glued.lastgroup if glued else None)


def resolve_year(
    source: Source, within: int | None = None, place: LocalPlace | None = None, *, named: bool = False
) -> int:
    """The one year of a file or sheet.

    Args:
        source: the file, its name and its hint.
        within: the year in its content.
        place: where the content has it.
        named: whether the publisher puts the year in the file's name and nowhere else.

    Raises:
        Rejected: content, name and hint contradict one another, or none of them has the year.
    """
    year = _resolve(source, "year", within, year_named(source, named=named), source.year_hint, place, named=named)
    if year is not None:
        return year
    message = f"{_NAMED_YEAR if named else _YEAR}, or the year as a hint"
    raise source.rejected(Reason.INVALID_FILENAME, message, hints=[Hint(Action.SUBMIT_WITH_YEAR)])


def resolve_sex(
    source: Source, within: str | None = None, place: LocalPlace | None = None, *, named: bool = False
) -> str:
    """The one sex of a file or sheet; see `resolve_year`."""
    sex = _resolve(source, "sex", within, detect_sex(source.own_name), source.sex_hint, place, named=named)
    if sex is not None:
        source.findings.sex_by_name = sex if within is None else None
        return sex
    message = f"{_NAMED_SEX if named else _SEX}, or the sex as a hint"
    raise source.rejected(Reason.INVALID_FILENAME, message, hints=[Hint(Action.SUBMIT_WITH_SEX)])


T = TypeVar("T", bound=int | str)


def _resolve(
    source: Source,
    what: str,
    within: T | None,
    in_name: T | None,
    hint: T | None,
    place: LocalPlace | None,
    *,
    named: bool,
) -> T | None:
    """What the content says, else the name, else the hint. None if nothing says it.

    The name counts if the publisher puts the fact only there. If the content has it, the name must not contradict.
    """
    if within is None:
        place = None
        in_name = in_name if named else None
    said = (
        (within, "the file's content says"),
        (in_name, "the file's name says"),
        (hint, f"the {what} was given as"),
    )
    return agreed(source, said, place)


def agreed(source: Source, said: Iterable[tuple[T | None, str]], place: LocalPlace | None) -> T | None:
    """What all of these say, of a year or a sex; None if none of them says anything.

    Args:
        source: the file.
        said: each value, and who says it, such as "the file's name says".
        place: where the content says it.

    Raises:
        Rejected: two of them differ.
    """
    values = [(value, who) for value, who in said if value is not None]
    for value, who in values[1:]:
        first, first_who = values[0]
        if value != first:
            message = f"{first_who} {_in_words(first)}, but {who} {_in_words(value)}"
            raise source.rejected(Reason.CONTRADICTORY, message, place)
    return values[0][0] if values else None


def _in_words(value: int | str) -> str:
    return IN_WORDS.get(str(value), str(value))


def check_year(source: Source, year: int, place: LocalPlace) -> None:
    """For files with a year in every row or over every column: a year given at submit must be the only one.

    Raises:
        Rejected: it is not.
    """
    if source.year_hint not in (None, year):
        message = f"the year was given as {source.year_hint}, but this is of {year}"
        raise source.rejected(Reason.CONTRADICTORY, message, place)


def refuse_sex_hint(source: Source) -> None:
    """For files of both sexes.

    Raises:
        Rejected: a sex was given.
    """
    if source.sex_hint is not None:
        message = f"the sex was given as {source.sex_hint}, but this format has both, and says which is which"
        raise source.rejected(Reason.CONTRADICTORY, message)
