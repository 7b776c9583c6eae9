"""Why a description does not fit a file: the headings that are there, the nearest first."""

from collections.abc import Sequence
from difflib import SequenceMatcher, get_close_matches

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import YEAR, Shape, shown
from dataset_jobs.model.errors import Rejected
from parser_runner.parsers.descriptions import heading_words
from parser_runner.parsers.descriptions.described_columns import Found, Wanted, has_heading, wanted_columns
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Table, TextTable
from parser_runner.parsers.values import HEAD, Value, has_letter, is_year, label_of, text_of

_MOST_SHOWN = 20


def not_found(source: Source, description: Description, tables: Sequence[Table]) -> Rejected:
    """The refusal of a file that has not the columns of its description."""
    if not source.size:
        return source.rejected(Reason.INVALID_FORMAT, "the file is empty")
    wanted = wanted_columns(description)
    best: tuple[int, int, Table, int] | None = None
    by_number = not any(map(has_heading, wanted)) and description.shape is not Shape.WIDE
    for table in [] if by_number else tables:
        records = [*table.head()]
        for number, record in enumerate(records, 1):
            if description.heading_row in (None, number) and _are_headings(record, records[number:], wanted):
                fits = sum(_fits(one, record) for one in wanted)
                if best is None or (fits, len(record)) > best[:2]:
                    best = (fits, len(record), table, number)
    if best is None:
        return source.rejected(Reason.INVALID_FORMAT, _no_headings(source, description, wanted))
    _, _, table, number = best
    record = table.head()[number - 1]
    message = _missing(description, wanted, record)
    return source.rejected(Reason.INVALID_FORMAT, message, table.place(number, 0))


def sheet_missing(source: Source, name: str, sheets: Sequence[str]) -> Rejected:
    """The refusal of a file without a sheet of the description."""
    if not sheets:
        message = f"the description wants the sheet {shown(name)}, but this is no workbook"
        return source.rejected(Reason.INVALID_FORMAT, message)
    there = ", ".join(shown(sheet) for sheet in _nearest(name, sheets))
    return source.rejected(Reason.INVALID_FORMAT, f"no sheet {shown(name)}: the visible sheets are {there}")


def column_left_out(description: Description, found: Found) -> str | None:
    """The error of a list with a column of years or sexes that its description leaves out."""
    known = {*found.columns.values(), *(column for block in found.blocks for column in block)}
    for key, words in (("year", heading_words.YEAR), ("sex", heading_words.SEX)):
        says = getattr(description, key) or (key == "year" and description.shape is Shape.WIDE)
        for column, label in enumerate(found.labels):
            if not says and not description.blocks and column not in known and label in words:
                return (
                    f"there is a column {shown(label)}, which the description does not have:"
                    f" expected {key}=HEADING in it, since its records may differ in it"
                )
    return None


def _are_headings(record: Sequence[Value], following: Sequence[Sequence[Value]], wanted: Sequence[Wanted]) -> bool:
    """Whether a record can be quoted as headings: a record of names and figures may not."""
    texts = [text_of(value) for value in record]
    filled = [text for text in texts if text]
    next_one = next((other for other in following if any(map(text_of, other))), None)
    if len(filled) < 2 or next_one is None or len(next_one) != len(record) or max(map(len, filled)) > 60:
        return False
    if any(_fits(one, record) for one in wanted if has_heading(one)):
        return True
    plain = [has_letter(text) or is_year(text) for text in filled]
    figures = [text_of(value).isdecimal() for value in next_one]
    return all(plain) and not any(text.isdecimal() and not is_year(text) for text in filled) and any(figures)


def _fits(wanted: Wanted, record: Sequence[Value]) -> bool:
    return len(wanted.among([*map(label_of, record)])) == len(wanted.keys)


def _missing(description: Description, wanted: Sequence[Wanted], record: Sequence[Value]) -> str:
    labels = [*map(label_of, record)]
    there = [text for text in map(text_of, record) if text]
    missing = [one for one in wanted if not one.among(labels)]
    if missing:
        first = missing[0].headings[0]
        what = ", ".join(f"{shown(one.headings[0])} for {_keys(one)}" for one in missing)
        return f"no heading{'s' if len(missing) > 1 else ''} {what}: {_there(first, there)}"
    for one in wanted:
        columns = one.among(labels)
        if len(columns) != len(one.keys):
            return (
                f"the heading {shown(one.headings[0])} for {_keys(one)} stands there {len(columns)} times,"
                f" expected {len(one.keys)}: give the number of the column, such as {one.keys[0][0]}=#{columns[0] + 1}"
            )
    if description.shape is Shape.WIDE:
        heading = description.count[0]
        why = f"no headings {shown(heading)} for counts, or a year twice, {YEAR} being any year"
        return f"{why}: {_there(heading, there)}"
    return "two columns of the description are the same one"


def _keys(wanted: Wanted) -> str:
    return " and ".join(dict.fromkeys(key for key, _ in wanted.keys))


def _there(heading: str, there: Sequence[str]) -> str:
    near = get_close_matches(label_of(heading), [*map(label_of, there)], n=1, cutoff=0.6)
    meant = [text for text in there if label_of(text) in near]
    hint = f"did you mean {shown(meant[0])}? " if meant else ""
    shown_ones = ", ".join(shown(text) for text in _nearest(heading, list(dict.fromkeys(there))))
    return f"{hint}the headings there are {shown_ones}"


def _nearest(wanted: str, there: Sequence[str]) -> list[str]:
    folded = label_of(wanted)
    near = sorted(there, key=lambda text: -SequenceMatcher(None, folded, label_of(text)).ratio())
    return near[:_MOST_SHOWN]


def _no_headings(source: Source, description: Description, wanted: Sequence[Wanted]) -> str:
    headings = ", ".join(shown(one.headings[0]) for one in wanted if has_heading(one))
    row = description.heading_row
    where = f"record {row}" if row else f"the first {HEAD} records"
    if not headings:
        return (
            f"no columns by these numbers in {where}, with a count in each column of counts:"
            " if the first record is no row, give heading_row, the number of the record before the first row"
        )
    charset = "" if source.workbook() or description.charset or _is_utf_8(source) else _CHARSET
    return f"no record with the headings {headings} in {where}{charset}: if there are none, give columns by number (#1)"


_CHARSET = ", and the file is not UTF-8: give its charset, such as charset=cp1252"


def _is_utf_8(source: Source) -> bool:
    return "�" not in " ".join(map(str, TextTable(source, ",", None).head()))
