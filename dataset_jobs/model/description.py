"""Descriptions: what a person says of a list that no parser covers, as data. See docs/adding-a-parser.md.

A description is kept as TOML, given as a line (`--columns`), and stored as JSON with its dataset, so that every runner
reads the file in the same way without a new image.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Self

from dataset_jobs.model.columns_text import columns_text, read_columns
from dataset_jobs.model.description_check import checked
from dataset_jobs.model.description_parts import (
    COLUMN_KEYS,
    MAX_BYTES,
    PLAIN_KEYS,
    YEAR,
    BlockColumns,
    InvalidDescription,
    Shape,
    SheetWanted,
    Texts,
)
from dataset_jobs.model.toml_text import read_toml, toml_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A list by its columns. Each column has all headings that its publisher uses; `#3` is the third column.

    Args:
        name, count: of names and counts. `{year}` in a heading of counts stands for any year: a wide table.
        year, sex: of years and sexes; empty if the file, its sheets or its blocks are of one.
        sum_over: a column, such as a county: records of the same name that differ in it are added up.
        blocks: pairs of columns side by side, in place of `name` and `count`.
        sheets: of a workbook; empty for the first sheet with these headings.
        girls, boys: the texts in the column of the sex.
        no_names, no_counts, no_sexes, no_years: texts in these columns whose records are no rows.
        file_year: the year of the whole file, or `filename` or `title` for what says it.
        file_sex: F or M, or `filename` or `title`.
        separator: of fields; None to find it.
        charset: of a file that is not UTF-8.
        heading_row: the number of the record with the headings; None to find it.
        ignore_titles: whether titles above the list, and the file's name, may speak of another year or sex.
        measure: births or population.
        region: as in `Parsed`; None for the whole country.
        top: as in `Parsed`.
        smallest: the smallest count that the publisher gives.
        format: a short word for the publisher, part of the format's name.
        title, source, licence: for people.
    """

    name: Texts = ()
    count: Texts = ()
    year: Texts = ()
    sex: Texts = ()
    sum_over: Texts = ()
    blocks: tuple[BlockColumns, ...] = ()
    sheets: tuple[SheetWanted, ...] = ()
    girls: Texts = ()
    boys: Texts = ()
    no_names: Texts = ()
    no_counts: Texts = ()
    no_sexes: Texts = ()
    no_years: Texts = ()
    file_year: int | str | None = None
    file_sex: str | None = None
    separator: str | None = None
    charset: str | None = None
    heading_row: int | None = None
    ignore_titles: bool = False
    measure: str | None = None
    region: str | None = None
    top: int | None = None
    smallest: int | None = None
    format: str | None = None
    title: str | None = None
    source: str | None = None
    licence: str | None = None

    @classmethod
    def from_columns(cls, text: str) -> Self:
        """Reads the line of `--columns`.

        Raises:
            InvalidDescription: with the character of each error, from 1.
        """
        _check_size(text)
        document, places = read_columns(text)
        return cls(**checked(document, places))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Reads TOML.

        Raises:
            InvalidDescription: with the line of each error.
        """
        _check_size(text)
        document, places = read_toml(text)
        return cls(**checked(document, places))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `as_json` wrote, however its spaces and keys are arranged.

        Raises:
            InvalidDescription: this version does not know such a description.
        """
        _check_size(text)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise InvalidDescription(["the description is no JSON"]) from None
        if not isinstance(document, dict):
            raise InvalidDescription(["the description is no JSON object"])
        return cls(**checked(document, {}))

    @property
    def shape(self) -> Shape:
        """How the list is laid out."""
        if self.blocks:
            return Shape.BLOCKS
        return Shape.WIDE if any(YEAR in heading for heading in self.count) else Shape.LONG

    def with_measure(self, measure: str | None) -> Self:
        """Adds the measure, unless the description has one."""
        return replace(self, measure=self.measure or measure)

    def as_document(self) -> dict[str, Any]:
        """The description as its TOML has it, without defaults."""
        columns = {key: _one_or_many(getattr(self, key)) for key in COLUMN_KEYS}
        tables: dict[str, dict[str, Any]] = {
            "columns": columns,
            "sexes": {"F": [*self.girls], "M": [*self.boys]},
            "left_out": {
                "names": [*self.no_names],
                "counts": [*self.no_counts],
                "sexes": [*self.no_sexes],
                "years": [*self.no_years],
            },
        }
        document = {key: getattr(self, key) for key in PLAIN_KEYS}
        document.update({key: _given(table) for key, table in tables.items()})
        document["sheets"] = [_given({"name": s.name, "sex": s.sex, "year": s.year}) for s in self.sheets]
        document["blocks"] = [
            _given({"name": _one_or_many(b.name), "count": _one_or_many(b.count), "sex": b.sex, "year": b.year})
            for b in self.blocks
        ]
        return _given(document)

    def as_json(self) -> str:
        """The description as JSON: equal descriptions have equal texts."""
        return json.dumps(self.as_document(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def as_toml(self) -> str:
        """The description as `from_toml` reads it."""
        return toml_text(self.as_document())

    def as_columns(self) -> str:
        """The description as `from_columns` reads it."""
        return columns_text(self.as_document())


def _one_or_many(texts: Texts) -> str | list[str]:
    return texts[0] if len(texts) == 1 else [*texts]


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Leaves out keys without a value."""
    return {key: value for key, value in values.items() if value not in (None, False, [], {})}


def _check_size(text: str) -> None:
    size = len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise InvalidDescription([f"the description has {size} bytes: at most {MAX_BYTES} are allowed"])
