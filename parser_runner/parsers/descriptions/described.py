"""The parser of a described list: a `Description`, read by the readers that the publishers' parsers use.

docs/adding-a-parser.md says how to describe a list.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import (
    IN_FILENAME,
    IN_TITLE,
    BlockColumns,
    InvalidDescription,
    Shape,
    SheetWanted,
)
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.places import Cell
from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.descriptions.described_columns import Found, find_columns
from parser_runner.parsers.descriptions.described_refusal import column_left_out, not_found, sheet_missing
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.named_period import year_named
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.tables import SEPARATORS, Header, Table, TextTable
from parser_runner.parsers.values import label_of, years_in
from parser_runner.parsers.wide import Block, Wide, read_blocks, read_wide
from parser_runner.parsers.year_and_sex import agreed, detect_sex, refuse_sex_hint

Part = BlockColumns | SheetWanted

_NO_YEAR = (
    "nothing says the year: expected a column of years, a year as a hint, or file_year in the description"
    " (a year, filename or title)"
)
_NO_SEX = (
    "nothing says the sex: expected a column of sexes, a sex as a hint, or file_sex in the description"
    " (F, M, filename or title)"
)


def described(source: Source, country: str, description: str) -> "Described":
    """The parser of a file with a description.

    Args:
        source: the file.
        country: ISO 3166-1 code.
        description: as JSON.

    Raises:
        Rejected: this version does not understand the description, or a format was given, too.
    """
    try:
        parser = Described(Description.from_json(description), country)
    except InvalidDescription as error:
        raise source.rejected(Reason.INVALID_FORMAT, f"its description is not understood: {error}") from None
    if source.hints.format not in (None, parser.name):
        message = f"the format was given as {source.hints.format}, but there is a description of another one"
        raise source.rejected(Reason.CONTRADICTORY, message)
    return parser


class Described:
    """A list of a publisher that no other parser covers.

    Args:
        description: of its columns.
        country: ISO 3166-1 code.
    """

    description = "a list as its description says"

    def __init__(self, description: Description, country: str) -> None:
        word = f"-{description.format}" if description.format else ""
        self.name = f"{country.lower()}-described{word}"
        self._says = description
        sexes = {**dict.fromkeys(description.girls, "F"), **dict.fromkeys(description.boys, "M")}
        self._rules = Rules(
            sexes=sexes or {"F": "F", "M": "M"},
            suppressed={text: f"suppressed counts ({text or 'empty'})" for text in description.no_counts},
            no_names={label_of(text): f"no names ({text})" for text in description.no_names},
            no_sexes={text: f"neither sex ({text or 'empty'})" for text in description.no_sexes},
            no_years={text: f"no year ({text or 'empty'})" for text in description.no_years},
            adds_up=AddUp(reason=f"summed over {description.sum_over[0]}") if description.sum_over else None,
        )

    def recognise(self, source: Source) -> list[Found] | None:
        """The columns, in each sheet that is wanted."""
        found = self._found(source)
        return found if not isinstance(found, Rejected) else None

    def parse(self, source: Source, match: list[Found] | None) -> Parsed:
        """Starts reading. Without a match, refuses the file and names the missing headings."""
        found = match or self._found(source)
        if isinstance(found, Rejected):
            raise found
        says = self._says
        if says.measure is None:
            message = "the description has no measure: expected births or population"
            raise source.rejected(Reason.INVALID_FORMAT, message)
        if says.sex or any(block.sex for block in says.blocks):
            refuse_sex_hint(source)
        region = says.region or source.hints.region
        if region is not None and region[:2].casefold() != self.name[:2]:
            message = f"the region is {region}, but the country was given as {self.name[:2].upper()}"
            raise source.rejected(Reason.CONTRADICTORY, message)
        rows = self._checked(source, chain.from_iterable([self._rows(source, one) for one in found]))
        return Parsed(self.name, says.measure, region, rows, says.top)

    def _found(self, source: Source) -> list[Found] | Rejected:
        tables = self._tables(source)
        if not self._says.sheets:
            for table in tables:
                if found := find_columns(table, self._says):
                    return [found]
            return not_found(source, self._says, tables)
        sheets = {sheet.name: sheet for sheet in source.sheets()}
        every = []
        for wanted in self._says.sheets:
            if wanted.name not in sheets:
                return sheet_missing(source, wanted.name, [*sheets])
            found = find_columns(sheets[wanted.name], self._says)
            if found is None:
                return not_found(source, self._says, [sheets[wanted.name]])
            every.append(replace(found, sheet=wanted, titles=f"{wanted.name} | {found.titles}"))
        return every

    def _tables(self, source: Source) -> Sequence[Table]:
        if source.workbook() is not None:
            return source.sheets()
        return TextTable.each(source, self._says.charset, self._says.separator or SEPARATORS)

    def _rows(self, source: Source, found: Found) -> Iterator[Row]:
        """The rows of a table. What contradicts is refused at once."""
        says, columns = self._says, found.columns
        if (left_out := column_left_out(says, found)) is not None:
            raise source.rejected(Reason.INVALID_FORMAT, left_out, _place(found))
        if says.shape is Shape.BLOCKS:
            blocks = [
                Block(self._year(source, found, block, at), self._sex(source, found, block, at), *at)
                for block, at in zip(says.blocks, found.blocks, strict=True)
            ]
            return read_blocks(source, found.table, found.record, blocks, self._rules)
        of_rows = says.year or says.shape is Shape.WIDE
        year = None if of_rows else self._year(source, found, found.sheet)
        sex = None if says.sex else self._sex(source, found, found.sheet)
        if says.shape is Shape.WIDE:
            wide = Wide(found.record, columns["name"], found.years, found.width, columns.get("sex", -1))
            return read_wide(source, found.table, wide, self._rules, sex)
        header = Header(
            found.record,
            columns["name"],
            columns["count"],
            columns.get("year", -1),
            columns.get("sex", -1),
            found.width,
            found.titles,
            over=columns.get("sum_over", -1),
        )
        return read_list(source, found.table, header, self._rules, year, sex)

    def _checked(self, source: Source, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, if there are any, without those that the publisher would not give."""
        smallest = self._says.smallest or 0
        number = 0
        for number, row in enumerate(rows, 1):  # noqa: B007
            if row.count >= smallest:
                yield row
                continue
            reason = f"the count is below {smallest}, the smallest by the description"
            source.problem(reason, row.place if isinstance(row.place, int | Cell) else None)
        if not number:
            source.raise_problems()
            left_out = source.findings.skipped.total()
            message = f"the description matches no rows: {left_out} records and figures were left out"
            raise source.rejected(Reason.INVALID_FORMAT, message)

    def _year(self, source: Source, found: Found, part: Part | None, columns: Sequence[int] = ()) -> int:
        own = _of_part("year", part, found)
        year = self._agreed(
            source,
            found,
            _Said(
                "year",
                self._says.file_year,
                own if own is not None else self._says.file_year,
                _only(years_in(found.text_over(columns))),
                None if own is not None else year_named(source, named=self._says.file_year == IN_FILENAME),
                source.year_hint,
            ),
        )
        if year is None:
            raise source.rejected(Reason.INVALID_FILENAME, _NO_YEAR, hints=[Hint(Action.SUBMIT_WITH_YEAR)])
        return int(year)

    def _sex(self, source: Source, found: Found, part: Part | None, columns: Sequence[int] = ()) -> str:
        own = _of_part("sex", part, found)
        sex = self._agreed(
            source,
            found,
            _Said(
                "sex",
                self._says.file_sex,
                own if own is not None else self._says.file_sex,
                detect_sex(found.text_over(columns)),
                detect_sex(source.own_name),
                source.sex_hint,
            ),
        )
        if sex is None:
            raise source.rejected(Reason.INVALID_FILENAME, _NO_SEX, hints=[Hint(Action.SUBMIT_WITH_SEX)])
        return str(sex)

    def _agreed(self, source: Source, found: Found, said: "_Said") -> int | str | None:
        """The year or sex of a list, from what the description names. Titles and names must not contradict it."""
        own = None if said.where in (IN_FILENAME, IN_TITLE) else said.own
        in_title, in_name = said.where == IN_TITLE, said.where == IN_FILENAME
        if own is None and said.hint is None and not (in_title and said.above) and not (in_name and said.named):
            return None
        strict = not self._says.ignore_titles
        every = (
            (own, "the description says"),
            (said.above if in_title or strict else None, "the file's content says"),
            (said.named if in_name or (strict and own is not None) else None, "the file's name says"),
            (said.hint, f"the {said.what} was given as"),
        )
        return agreed(source, every, _place(found))


class _Said(NamedTuple):
    """What says the year or the sex of a list: the description, titles, the file's name, a hint."""

    what: str
    where: int | str | None
    own: int | str | None
    above: int | str | None
    named: int | str | None
    hint: int | str | None


def _of_part(what: str, part: Part | None, found: Found) -> int | str | None:
    """What a block, or the sheet that it stands in, says."""
    said = [getattr(one, what) for one in (part, found.sheet) if one is not None]
    return next((value for value in said if value is not None), None)


def _only(years: list[int]) -> int | None:
    return years[0] if len(years) == 1 else None


def _place(found: Found) -> LocalPlace | None:
    return found.table.place(found.record, 0) if found.record else None
