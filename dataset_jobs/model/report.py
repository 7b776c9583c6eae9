"""The report of a file: its rows, years and totals, and the records left out, with reasons. A load stores it too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.places import Place, as_values, from_values


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a file.

    Args:
        filename, country: as submitted.
        recognised: the name of the format; None if it is of no known one.
        measure, region, top: see `parser_runner.parsers.contract.Parsed`; None if the file was refused before they were
            known.
        totals: by year and sex, ascending; of a refused file, as far as it was read.
        smallest: the smallest count; None if there are no rows.
        left_out: how many records or figures are no rows, by the reason.
        left_out_totals: the sum of their counts, if they had any, by the reason.
        left_out_places: the first places of them, by the reason.
        added: how many records were added to others of the same name, by the reason.
        rejected: the refusal, or None.
        known_as: the formats that would read the file without its description; a load does not ask for them.
        is_whole: False of a load by an older version: only its totals are known.
    """

    filename: str
    country: str
    recognised: str | None = None
    measure: str | None = None
    region: str | None = None
    top: int | None = None
    totals: Sequence[Covered] = ()
    smallest: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    left_out_totals: Mapping[str, int] = field(default_factory=dict)
    left_out_places: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    rejected: Rejected | None = None
    known_as: Sequence[str] = ()
    is_whole: bool = True

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(one.rows for one in self.totals)

    @property
    def total(self) -> int:
        """The sum of all counts."""
        return sum(one.total for one in self.totals)

    @property
    def years(self) -> list[int]:
        """Ascending."""
        return sorted({one.year for one in self.totals})

    @property
    def sexes(self) -> list[str]:
        """F, M or both."""
        return sorted({one.gender for one in self.totals})

    @property
    def problems(self) -> Sequence[Problem]:
        """The problems that were kept."""
        return self.rejected.problems if self.rejected else ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        rejected = self.rejected
        return {
            "file": self.filename,
            "country": self.country,
            "accepted": rejected is None,
            "format": self.recognised,
            "known_as": [*self.known_as],
            "measure": self.measure,
            "region": self.region,
            "top": self.top,
            "years": self.years,
            "sexes": self.sexes,
            "rows": self.rows,
            "total": self.total,
            "smallest": self.smallest,
            "totals": [{"year": t.year, "sex": t.gender, "rows": t.rows, "total": t.total} for t in self.totals],
            "left_out": dict(self.left_out),
            "left_out_totals": dict(self.left_out_totals),
            "left_out_places": _as_values(self.left_out_places),
            "added": dict(self.added),
            "reason": str(rejected.reason) if rejected else None,
            "problems": [{"problem": one.reason, **as_values(one.place)} for one in self.problems],
            "more_problems": rejected.more if rejected else 0,
        }

    def beside_the_rows(self) -> dict[str, Any]:
        """What neither the dataset's columns nor its coverage say, as plain JSON values: what a load stores.

        It is usually under 2 KiB, and under 100 whatever the file holds: `parser_runner.parsers.findings` limits it.
        """
        return {
            "smallest": self.smallest,
            "left_out": dict(self.left_out),
            "left_out_totals": dict(self.left_out_totals),
            "left_out_places": _as_values(self.left_out_places),
            "added": dict(self.added),
        }


def stored_report(about: Report, beside: Any) -> Report:
    """The report of a load as it was stored.

    Args:
        about: with everything that the dataset's columns and its coverage say.
        beside: as `beside_the_rows` gave it; anything else gives a report that is not whole.
    """
    if not isinstance(beside, dict):
        return replace(about, is_whole=False)
    smallest = beside.get("smallest")
    places = beside.get("left_out_places")
    return replace(
        about,
        smallest=smallest if isinstance(smallest, int) else None,
        left_out=_counts(beside.get("left_out")),
        left_out_totals=_counts(beside.get("left_out_totals")),
        left_out_places={one: _places(places[one]) for one in sorted(places)} if isinstance(places, dict) else {},
        added=_counts(beside.get("added")),
    )


def report_of(values: Mapping[str, Any]) -> Report:
    """The report of a load from `as_dict`, with `is_whole` beside it.

    Raises:
        KeyError, TypeError: these are no such values.
    """
    about = Report(
        str(values["file"]), str(values["country"]), values["format"], values["measure"], values["region"],
        values["top"], [Covered(one["year"], one["sex"], one["rows"], one["total"]) for one in values["totals"]],
    )  # fmt: skip
    return stored_report(about, values if values.get("is_whole", True) else None)


def _as_values(places: Mapping[str, Sequence[Place]]) -> dict[str, list[dict[str, str | int]]]:
    return {reason: [as_values(place) for place in some] for reason, some in places.items()}


def _places(values: Any) -> list[Place]:
    found = map(from_values, values if isinstance(values, list) else ())
    return [place for place in found if place is not None]


def _counts(values: Any) -> dict[str, int]:
    """By reason; in the order of a report of the file itself, which the database does not keep."""
    pairs: Iterable[tuple[str, Any]] = sorted(values.items()) if isinstance(values, dict) else ()
    return {reason: count for reason, count in pairs if isinstance(count, int)}
