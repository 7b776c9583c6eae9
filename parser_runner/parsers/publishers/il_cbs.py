"""Israel, Central Bureau of Statistics: first names by year of birth, a sheet a population group and sex.

https://www.cbs.gov.il/
Ten sheets with Hebrew names: Jews, Muslims, Christians, Druze and others, boys and girls of each. A line is a name, a
column a year, of at least five children. "." means no child, ".." fewer than five. Everybody is of one group, so the
figures of the five groups add up. The sum is a lower bound: it lacks the groups with fewer than five such children. One
group alone is not the country, so a workbook without all ten sheets is refused. So is a sheet without a year. The
column of totals is not read.
"""

import re
from collections.abc import Iterator, Sequence

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.summed import Figure, summed
from parser_runner.parsers.tables import titles_of
from parser_runner.parsers.totals import REST, TOTALS
from parser_runner.parsers.values import label_of, text_of
from parser_runner.parsers.wide import Wide, find_wide, read_wide
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import IN_WORDS, refuse_sex_hint

_SHEETS = {
    "יהודים": ("Jews", "M"),
    "יהודיות": ("Jews", "F"),
    "מוסלמים": ("Muslims", "M"),
    "מוסלמיות": ("Muslims", "F"),
    "נוצרים": ("Christians", "M"),
    "נוצריות": ("Christians", "F"),
    "דרוזים": ("Druze", "M"),
    "דרוזיות": ("Druze", "F"),
    "אחרים": ("others", "M"),
    "אחרות": ("others", "F"),
}
"""The group and the sex of a sheet, by its name."""

_TITLES = {"שמות פרטיים של בנים": "M", "שמות פרטיים של בנות": "F"}
"""First names of boys, of girls: above each list."""

_ABSENT = {
    "אחרים": frozenset((1948, 1954, 1956, 1957, 1963, 1964, 1965)),
    "אחרות": frozenset((1948, 1949, 1952, 1953, *range(1957, 1965))),
}
"""The years that a sheet has no column for, because no name has five children."""

_FIRST_NAME = "שם פרטי"
_ALL_YEARS = re.compile("סך הכל בשנים ([0-9]{4})-([0-9]{4})")
_NO_CASES = "years without a child (. and -)"
_RULES = Rules(
    suppressed={".": _NO_CASES, "-": _NO_CASES, "..": "suppressed counts (..: fewer than 5)"},
    no_names={**dict.fromkeys(("סך הכל", "סך הכול", 'סה"כ', "סה״כ"), TOTALS), "שמות אחרים": REST},
)

_Lists = dict[str, tuple[Sheet, Wide]]
"""By the sheet's name."""


class ByYearOfBirth:
    """Both sexes, all years."""

    name = "il-cbs"
    description = "a workbook with ten sheets such as יהודים and יהודיות of שם פרטי and years"

    def recognise(self, source: Source) -> _Lists | None:
        found = {}
        for sheet in source.sheets():
            name = text_of(sheet.name)
            wide = _list_in(sheet) if name in _SHEETS else None
            if wide is not None:
                found[name] = (sheet, wide)
        return found or None

    def parse(self, source: Source, match: _Lists) -> Parsed:
        refuse_sex_hint(source)
        missing = [name for name in _SHEETS if name not in match]
        if missing:
            message = f"expected lists of all groups and both sexes, found none in a sheet {' or '.join(missing)}"
            raise source.rejected(Reason.INVALID_FORMAT, message)
        for name, (sheet, wide) in match.items():
            _check_title(source, sheet, wide, _SHEETS[name][1])
            _check_years(source, sheet, wide, _ABSENT.get(name, frozenset()))
        source.skip("other sheets", len(source.sheets()) - len(match))
        rows = summed(source, self._figures(source, match), "group", "population groups of the same name")
        return Parsed(self.name, "births", None, rows)

    def _figures(self, source: Source, lists: _Lists) -> Iterator[Figure]:
        for name, (sheet, wide) in lists.items():
            group, sex = _SHEETS[name]
            rows: Iterator[Row] = read_wide(source, sheet, wide, _RULES, sex)
            for row in rows:
                yield row, group


def _list_in(sheet: Sheet) -> Wide | None:
    totals: Sequence[str] = [
        label for record in sheet.head() for label in map(label_of, record) if _ALL_YEARS.fullmatch(label)
    ]
    return find_wide(sheet, (_FIRST_NAME,), totals) if totals else None


def _check_title(source: Source, sheet: Sheet, wide: Wide, sex: str) -> None:
    """Refuses a sheet whose title contradicts its name, or that has none."""
    titles = titles_of(sheet)
    said = {of for title, of in _TITLES.items() if title in titles}
    place = sheet.place(wide.record, wide.name)
    if not said:
        raise source.rejected(Reason.INVALID_FORMAT, f"expected the title {' or '.join(_TITLES)} above the list", place)
    if said != {sex}:
        other = " and ".join(IN_WORDS[one] for one in sorted(said))
        message = f"the sheet's name speaks of {IN_WORDS[sex]}, but its title of {other}"
        raise source.rejected(Reason.CONTRADICTORY, message, place)


def _check_years(source: Source, sheet: Sheet, wide: Wide, absent: frozenset[int]) -> None:
    """Refuses a sheet without a column of a year: that year's sums would lack its group."""
    heading = next(found for cell in sheet.head()[wide.record - 1] if (found := _ALL_YEARS.fullmatch(label_of(cell))))
    years = range(int(heading[1]), int(heading[2]) + 1)
    missing = sorted({*years} - {*wide.years.values()} - absent)
    if missing:
        message = f"expected a column for each year from {years[0]} to {years[-1]}, found none for {missing[0]}"
        raise source.rejected(Reason.INVALID_FORMAT, message, sheet.place(wide.record, wide.name))


PARSERS = [ByYearOfBirth()]
