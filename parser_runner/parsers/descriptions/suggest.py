"""Proposes a description of a list, from its headings and its values, for a person to confirm."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dataset_jobs.model.columns_text import Path
from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import IN_FILENAME, IN_TITLE, YEAR, InvalidDescription
from dataset_jobs.model.toml_text import toml_text
from parser_runner.parsers.descriptions import heading_words
from parser_runner.parsers.descriptions.suggest_columns import Column, columns_of, is_sign, read_texts
from parser_runner.parsers.named_period import year_named
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Table, TextTable
from parser_runner.parsers.values import FIRST_YEAR, text_of, this_year, years_in
from parser_runner.parsers.year_and_sex import IN_WORDS, detect_sex

_YEAR = re.compile(r"\d{4}", re.ASCII)
_MOST_SHEETS = 10
_LEFT = "what is counted: births, or people alive (population)?"
_REGION = "the part of the country, if it is not all of it: region = "


class NothingToSuggest(Exception):
    """No description can be proposed; the message says why."""


@dataclass
class Suggestion:
    """A proposed description.

    Args:
        document: as TOML has it.
        comments: what a person should look at, by the part of the document.
    """

    document: dict[str, Any]
    comments: dict[Path, list[str]] = field(default_factory=dict)

    @property
    def description(self) -> Description:
        """The description itself."""
        return Description.from_toml(toml_text(self.document))

    def as_toml(self) -> str:
        """The document with its comments."""
        return toml_text(self.document, self.comments)

    @property
    def notes(self) -> list[str]:
        """The comments, each with its part of the document."""
        parts = (
            ("".join(f"{key}: " for key in path if isinstance(key, str)), said) for path, said in self.comments.items()
        )
        return [f"{part}{comment}" for part, said in parts for comment in said]

    def note(self, path: Path, comment: str) -> None:
        """Adds a comment."""
        self.comments.setdefault(path, []).append(comment)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A record that may have the headings, and the columns below it."""

    table: Table
    record: int
    columns: Sequence[Column]
    name: Sequence[Column]
    count: Sequence[Column]
    years: tuple[str, Sequence[Column]] | None
    score: int


def suggest(source: Source, country: str) -> Suggestion:
    """Proposes a description of a file.

    Args:
        source: the file.
        country: ISO 3166-1 code, which a comment names.

    Raises:
        NothingToSuggest: the columns of names and counts do not show.
        Rejected: the file is damaged, or over a limit.
    """
    if not source.size:
        raise NothingToSuggest("the file is empty")
    tables = _tables(source)
    candidates = [one for table in tables for one in _candidates(table)]
    if not candidates:
        raise NothingToSuggest(
            "among the first records, none has a heading such as name, vorname, prénom, navn or ime over texts"
            " together with a column of whole numbers, and there is no list without headings either"
        )
    most = max(one.score for one in candidates)
    fitting = [one for one in candidates if one.score == most]
    best = _longest(fitting)
    suggestion = Suggestion({})
    _about_the_file(suggestion, source, best, [one.table for one in fitting])
    document = suggestion.document
    if len(best.name) > 1 and best.years is None:
        _blocks(suggestion, source, best)
    else:
        columns = {"name": _heading(best, best.name[0])}
        document["columns"] = columns
        if best.years is not None:
            columns["count"] = best.years[0]
        else:
            columns["count"] = _heading(best, best.count[0])
            _year(suggestion, source, best)
        _sex(suggestion, source, best)
        _signs(suggestion, source, best)
    suggestion.note((), "Proposed from the headings and values: look at every line before you use it.")
    document["measure"] = "births"
    suggestion.note(("measure",), f"Uncertain: {_LEFT}")
    suggestion.note(("measure",), f'Add {_REGION}"{country}-…"')
    try:
        suggestion.description  # noqa: B018
    except InvalidDescription as error:
        raise NothingToSuggest(f"the columns contradict one another: {error}") from None
    return suggestion


def _tables(source: Source) -> Sequence[Table]:
    if source.workbook() is not None:
        return source.sheets()
    return TextTable.each(source, "cp1252")


def _candidates(table: Table) -> list[_Candidate]:
    head = [*table.head()]
    filled = [number for number, row in enumerate(head, 1) if sum(map(bool, map(text_of, row))) > 1]
    found = [_candidate(table, number) for number in filled if number < len(head)]
    if not any(found) and filled[:1] == [1]:
        found = [_without_headings(table)]
    return [one for one in found if one is not None]


def _candidate(table: Table, record: int) -> _Candidate | None:
    columns = columns_of(table, record)
    years = _years(columns)
    names = _surest([(column.is_name, column) for column in columns])
    apart = {column.index for column in (years[1] if years else [])}
    apart.update(column.index for column in columns if column.is_called(heading_words.YEAR) and column.holds_years)
    counts = _surest([(column.is_count, column) for column in columns if column.index not in apart])
    if not names or not (counts or years):
        return None
    if len(names) == 1 and years is None:
        counts = counts[:1]
    called = sum(column.is_called(heading_words.YEAR | heading_words.SEX) > 0 for column in columns)
    return _Candidate(table, record, columns, names, counts, years, 4 + called + (len(years[1]) if years else 0))


def _without_headings(table: Table) -> _Candidate | None:
    """A list without headings: one column of names, one of counts, and perhaps one of years and one of sexes."""
    columns = columns_of(table, 0)
    rest = [one for one in columns if not one.holds_years and not one.holds_sexes and len({*one.samples}) > 1]
    names = [column for column in rest if column.holds_names]
    counts = [column for column in rest if column.holds_counts]
    if len(names) != 1 or len(counts) != 1:
        return None
    return _Candidate(table, 0, columns, names, counts, None, 1)


def _longest(candidates: Sequence[_Candidate]) -> _Candidate:
    """Of several sheets that fit alike, the one with most records; else the first."""
    if len({id(one.table) for one in candidates}) == 1 or isinstance(candidates[0].table, TextTable):
        return candidates[0]
    return max(candidates, key=lambda one: sum(1 for _ in one.table.records()))


def _surest(found: Sequence[tuple[int, Column]]) -> list[Column]:
    most = max((sure for sure, _ in found), default=0)
    return [column for sure, column in found if sure == most] if most else []


def _years(columns: Sequence[Column]) -> tuple[str, Sequence[Column]] | None:
    """The heading with a year that most columns have, and those columns."""
    groups: dict[str, list[Column]] = {}
    for column in columns:
        digits = _YEAR.findall(column.heading)
        if len(digits) == 1 and FIRST_YEAR <= int(digits[0]) <= this_year() and column.holds_counts:
            heading = column.heading.replace(digits[0], YEAR)
            if not column.is_called(heading_words.RANK):
                groups.setdefault(heading, []).append(column)
    found = max(groups.items(), key=lambda item: len(item[1]), default=None)
    return found if found is not None and len(found[1]) > 1 else None


def _heading(best: _Candidate, column: Column, uses: int = 1) -> str:
    """The heading of a column, or its number if the heading does not tell it from others."""
    same = [other for other in best.columns if other.label == column.label]
    return column.heading if column.heading and len(same) == uses else f"#{column.index + 1}"


def _about_the_file(suggestion: Suggestion, source: Source, best: _Candidate, fitting: Sequence[Table]) -> None:
    document = suggestion.document
    if isinstance(best.table, TextTable):
        if "�" in " ".join(text_of(value) for row in TextTable(source, ",", None).head() for value in row):
            document["charset"] = "cp1252"
            suggestion.note(("charset",), "Uncertain: the file is not UTF-8; do accents come out right?")
        return
    sheets = source.sheets()
    if len(sheets) > 1:
        document["sheets"] = [{"name": sheet.name} for sheet in sheets if sheet is best.table]
        suggestion.note(("sheets", 0), "Is this the sheet with the whole list?")
        others = [sheet.name for sheet in sheets if sheet is not best.table and sheet in fitting]
        if others:
            shown = ", ".join(map(repr, others[:_MOST_SHEETS]))
            suggestion.note(("sheets", 0), f"These have such headings, too: {shown}.")
            suggestion.note(("sheets", 0), 'Several are read with sex = "F" or year = … in each.')


def _year(suggestion: Suggestion, source: Source, best: _Candidate) -> None:
    document = suggestion.document
    years = [column for column in best.columns if column.holds_years and column.is_called(heading_words.YEAR)]
    if not years:
        years = [one for one in best.columns if one.holds_years and not one.is_count and one not in best.count]
        if years:
            suggestion.note(("columns", "year"), "Uncertain: by its values alone.")
    if years:
        document["columns"]["year"] = _heading(best, years[0])
    else:
        _file_year(suggestion, source, best)


def _file_year(suggestion: Suggestion, source: Source, best: _Candidate) -> None:
    document = suggestion.document
    if len(years_in(_titles(best))) == 1:
        document["file_year"] = IN_TITLE
        suggestion.note(("file_year",), f"Uncertain: a title has {years_in(_titles(best))[0]}.")
    elif (year := year_named(source, named=False)) is not None:
        document["file_year"] = IN_FILENAME
        suggestion.note(("file_year",), f"Uncertain: the file's name has {year}.")
    else:
        suggestion.note(("measure",), "No year is to be seen: add file_year = …, or give the year as a hint.")


def _sex(suggestion: Suggestion, source: Source, best: _Candidate) -> None:
    document = suggestion.document
    sexes = [column for column in best.columns if column.is_called(heading_words.SEX) and column not in best.name]
    if not sexes:
        sexes = [column for column in best.columns if column.holds_sexes and column.holds_names]
        if sexes:
            suggestion.note(("columns", "sex"), "Uncertain: by its values alone.")
    if sexes:
        document["columns"]["sex"] = _heading(best, sexes[0])
        _meanings(suggestion, source, best, sexes[0])
    elif (sex := detect_sex(_titles(best))) is not None:
        document["file_sex"] = IN_TITLE
        suggestion.note(("file_sex",), f"Uncertain: a title speaks of {IN_WORDS[sex]}.")
    elif (sex := detect_sex(source.own_name)) is not None:
        document["file_sex"] = IN_FILENAME
        suggestion.note(("file_sex",), f"Uncertain: the file's name speaks of {IN_WORDS[sex]}.")
    else:
        suggestion.note(("measure",), 'No sex is to be seen: add file_sex = "F" or "M", or give the sex as a hint.')


def _meanings(suggestion: Suggestion, source: Source, best: _Candidate, column: Column) -> None:
    """What the texts in a column of sexes mean."""
    read_texts(source, best.table, best.record, [Column(column.index, column.heading, (), column.texts)])
    texts = [text for text in column.texts if text]
    pair = heading_words.UNSURE.get(tuple(sorted({text.casefold() for text in texts})))  # type: ignore[arg-type]
    found: dict[str, list[str]] = {"F": [], "M": []}
    unknown = []
    for text in texts:
        if pair is not None:
            first = sorted({one.casefold() for one in texts})[0]
            found[pair[0] if text.casefold() == first else pair[1]].append(text)
        elif sex := next((sex for sex, words in heading_words.SEXES.items() if text.casefold() in words), None):
            found[sex].append(text)
        else:
            unknown.append(text)
    suggestion.document["sexes"] = {sex: texts for sex, texts in found.items() if texts}
    if pair is not None:
        suggestion.note(("sexes",), f"Uncertain: {pair[2]}.")
    if unknown and all(found.values()):
        suggestion.document["left_out"] = {"sexes": unknown}
        suggestion.note(("left_out",), "Uncertain: neither girls nor boys?")
    elif unknown:
        suggestion.note(("columns", "sex"), f"Say under [sexes] what these mean: {', '.join(map(repr, unknown))}.")


def _signs(suggestion: Suggestion, source: Source, best: _Candidate) -> None:
    """Texts in place of counts."""
    columns = best.years[1] if best.years else best.count[:1]
    read_texts(source, best.table, best.record, columns)
    signs = sorted({text for column in columns for text in column.texts if is_sign(text)})
    if best.years and any("" in column.texts for column in columns):
        signs.insert(0, "")
    if signs:
        suggestion.document.setdefault("left_out", {})["counts"] = signs
        suggestion.note(("left_out",), "Uncertain: do these stand for counts that are not published?")


def _titles(best: _Candidate) -> str:
    head = [*best.table.head()]
    return " | ".join(text_of(value) for row in head[: best.record] for value in row if text_of(value))


def _blocks(suggestion: Suggestion, source: Source, best: _Candidate) -> None:
    """Columns of names and counts side by side."""
    blocks = []
    for name, count in zip(best.name, _counts_beside(best), strict=True):
        first, last = sorted((name.index, count.index))
        about = _about(best, first, last)
        following = min([other.index for other in best.name if other.index > name.index], default=len(best.columns))
        sexes = [one for one in best.columns[name.index : following] if one.holds_sexes]
        sex = detect_sex(f"{name.heading} {count.heading}") or detect_sex(about) or _only_sex(sexes)
        years = years_in(f"{name.heading} {count.heading}") or years_in(about)
        block = {"name": f"#{name.index + 1}", "count": f"#{count.index + 1}"}
        blocks.append({**block, "sex": sex, "year": years[0] if len(years) == 1 else None})
    for key in ("sex", "year"):
        if len({block[key] for block in blocks}) == 1 or not all(block[key] for block in blocks):
            values = [block.pop(key) for block in blocks]
            if key == "year":
                _file_year(suggestion, source, best)
            elif values[0] and len({*values}) == 1:
                suggestion.document["file_sex"] = values[0]
                suggestion.note(("file_sex",), "Uncertain: from titles or headings.")
    if len({(block.get("sex"), block.get("year")) for block in blocks}) < len(blocks):
        raise NothingToSuggest(
            f"there are {len(blocks)} columns of names side by side, and nothing says which sex or year each has:"
            " say it, such as block=F(name=#1 count=#2) block=M(name=#3 count=#4)"
        )
    suggestion.document["blocks"] = blocks
    suggestion.document["heading_row"] = best.record
    suggestion.note(("blocks", 0), "Columns by number: #1 is the first. Headings do as well.")


def _counts_beside(best: _Candidate) -> Sequence[Column]:
    """For each column of names its column of counts: all stand to the right, or all to the left."""
    names = [column.index for column in best.name]
    to_the_right = zip(names, [*names[1:], len(best.columns)], strict=True)
    to_the_left = zip([-1, *names], names, strict=False)
    for nearest, bounds in ((0, to_the_right), (-1, to_the_left)):
        between = [[one for one in best.count if first < one.index < last] for first, last in bounds]
        if all(between):
            return [counts[nearest] for counts in between]
    raise NothingToSuggest(f"there are {len(names)} columns of names, but not a column of counts for each")


def _about(best: _Candidate, first: int, last: int) -> str:
    """All texts above a block; the title of a block may begin over its rank."""
    head = [*best.table.head()]
    return " | ".join(
        text_of(value) for row in head[: best.record] for value in row[max(0, first - 1) : last + 1] if text_of(value)
    )


def _only_sex(columns: Sequence[Column]) -> str | None:
    found = {
        sex
        for column in columns
        for value in column.samples
        for sex, words in heading_words.SEXES.items()
        if text_of(value).casefold() in words
    }
    return found.pop() if len(found) == 1 else None
