"""What the uploader says of a file, because the file has lost it or never had it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHints:
    """What the uploader says of a file. It supplies what the file has lost; what contradicts the file refuses it.

    Args:
        year: of all figures.
        sex: F or M, of all figures.
        format: the name of the format, such as de-koeln, where the content fits several.
        region: the part of the country, as an ISO 3166-2 code or a code of docs/formats.md.
        description: the file's columns, as canonical JSON; None for a format that has a parser.
    """

    year: int | None = None
    sex: str | None = None
    format: str | None = None
    region: str | None = None
    description: str | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """The hints in a dataset's row."""
        return cls(**{name: row[column] for name, column in _COLUMNS.items()})

    def as_columns(self) -> dict[str, Any]:
        """The hints by their columns in `datasets`."""
        return {_COLUMNS[name]: value for name, value in asdict(self).items()}

    def described(self, description: str) -> Self:
        """The hints, with a description of the file's columns, as canonical JSON."""
        return replace(self, description=description)

    def in_words(self) -> list[str]:
        """Each hint with its word, for messages."""
        said = [(word, value) for word, value in asdict(self).items() if value is not None and word != "description"]
        columns = ["the columns described"] if self.description is not None else []
        return [*(f"{word} {value}" for word, value in said), *columns]


NO_HINTS = FileHints()

_COLUMNS = {
    "year": "year_hint",
    "sex": "sex_hint",
    "format": "format_hint",
    "region": "region_hint",
    "description": "description",
}
