"""The year in a file's name, where the name may have days too.

A span of days is its year if it is one whole year. A single day says when the file was made: no year of figures.
Months, quarters, fiscal years and spans of years (2019-2022, 2019-22, since 2019) are no year either.
"""

import re

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import years_in

_MONTH_AND_DAY = r"(?:0[1-9]|1[0-2])[-_.](?:0[1-9]|[12]\d|3[01])"
_DAY_AND_MONTH = r"(?:0[1-9]|[12]\d|3[01])[-_.](?:0[1-9]|1[0-2])"
_DAY = re.compile(
    rf"(?<!\d)(?:(?P<year>\d{{4}})[-_.](?P<later>{_MONTH_AND_DAY})|(?P<earlier>{_DAY_AND_MONTH})[-_.](?P<last>\d{{4}}))(?!\d)",
    re.ASCII,
)
_PART = re.compile(
    r"(?<![^\W\d_])(?:halbjahr|half|quartal|quarter|trimestre|semestre|since|seit|depuis|desde|until|before|bis|fy)"
    r"(?![^\W\d_])|(?<![^\W_])[qh][1-4](?![^\W_])",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(?<!\d)(\d{4})[ _]?(?:[-–]|bis|to|til|a)[ _]?(\d{4})(?!\d)", re.ASCII | re.IGNORECASE)
_SHORT = re.compile(r"(?<!\d)(?:1[89]|20)\d\d[-–]\d\d(?!\d)", re.ASCII)


def year_named(source: Source, *, named: bool) -> int | None:
    """The one year in the file's name; None if it has none, or several.

    Args:
        source: the file.
        named: whether the publisher puts the year in the file's name and nowhere else.

    Raises:
        Rejected: the name is the only place of the year, and says that the figures are not of one whole year.
    """
    days = sorted(map(_date, _DAY.finditer(source.own_name)))
    rest = _DAY.sub(" ", source.own_name)
    years = years_in(rest)
    if len(days) > 1:
        (first, begins), (last, ends) = days[0], days[-1]
        if len(days) == 2 and first == last and (begins, ends) == ("0101", "1231"):
            years = list(dict.fromkeys([*years_in(first), *years]))
        elif named:
            raise _not_a_year(source)
    if named and (_PART.search(rest) or _SHORT.search(rest) or _is_span(rest)):
        raise _not_a_year(source)
    return years[0] if len(years) == 1 else None


def _is_span(text: str) -> bool:
    """Whether it has two years, the earlier one first, and a word or line between that makes a span of them."""
    spans = (years_in(" ".join(match.groups())) for match in _YEARS.finditer(text))
    return any(len(years) == 2 and years[0] < years[1] for years in spans)


def _date(match: re.Match[str]) -> tuple[str, str]:
    """The year, and month and day as four digits."""
    if match["year"]:
        return match["year"], match["later"][:2] + match["later"][-2:]
    return match["last"], match["earlier"][-2:] + match["earlier"][:2]


def _not_a_year(source: Source) -> Rejected:
    message = "by the file's name, the figures are not of one whole year, from 1 January to 31 December"
    return source.rejected(Reason.INVALID_FILENAME, message)
