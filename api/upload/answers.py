"""The report of a file, and what the OpenAPI document says of the bodies of uploads."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.upload.fields import FIELDS, IN_THE_ADDRESS
from api.upload.form import FILE, REPEATED
from dataset_jobs.model.errors import Problem
from dataset_jobs.model.places import Cell, InMember, as_values
from dataset_jobs.model.report import Report
from services.to_json import to_json
from services.validation import Validation


class ProblemShape(BaseModel):
    """One thing that is wrong with a file; the places are there as far as the file has them."""

    line: int | None
    column: int | None
    reason: str
    sheet: str | None = None
    cell: str | None = None
    member: str | None = None
    figure: int | None = None


class OverlapShape(BaseModel):
    """A dataset that counts for some of the same already."""

    dataset_id: UUID
    filename: str
    years: list[int]
    sexes: list[str]


class ReportShape(BaseModel):
    """What is in a file, and what a load of it would do.

    `ok` says whether it would be loaded, `problems` why not. `overlaps` are datasets that count for the same already,
    and `would_replace` those whose place it would take. `dataset_id` is of the dataset that these bytes are already.
    """

    ok: bool
    filename: str
    country: str
    recognised: bool
    parser: str | None
    measure: str | None
    region: str | None
    top: int | None
    years: list[int]
    sexes: list[str]
    rows: int
    total: int
    smallest: int | None
    totals: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
    added: list[dict[str, Any]]
    overlaps: list[OverlapShape]
    would_replace: list[OverlapShape]
    dataset_id: UUID | None
    reason: str | None
    problems: list[ProblemShape]
    more_problems: int
    members: list[dict[str, Any]]


class Validated(BaseModel):
    """The report of a file."""

    data: ReportShape


def validated(found: Validation) -> dict[str, Any]:
    """The report of a file."""
    report = found.report
    data = {
        "ok": found.ok,
        "filename": report.filename,
        "country": report.country,
        "recognised": report.recognised is not None,
        "parser": report.recognised,
        "measure": report.measure,
        "region": report.region,
        "top": report.top,
        "years": report.years,
        "sexes": report.sexes,
        "rows": report.rows,
        "total": report.total,
        "smallest": report.smallest,
        "totals": [
            {"year": one.year, "sex": one.gender, "rows": one.rows, "total": one.total} for one in report.totals
        ],
        "left_out": _left_out(report),
        "added": [{"reason": reason, "count": count} for reason, count in report.added.items()],
        "overlaps": _overlaps(found, replaced=False),
        "would_replace": _overlaps(found, replaced=True),
        "dataset_id": found.dataset_id,
        "reason": report.rejected.reason if report.rejected else None,
        "problems": [_problem(one) for one in found.problems],
        "more_problems": report.rejected.more if report.rejected else 0,
        "members": [_member(one) for one in found.reports[1:]],
    }
    made: dict[str, Any] = to_json({"data": data})
    return made


def _left_out(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "reason": reason,
            "count": count,
            "total": report.left_out_totals.get(reason),
            "places": [as_values(place) for place in report.left_out_places.get(reason, ())],
        }
        for reason, count in report.left_out.items()
    ]


def _overlaps(found: Validation, *, replaced: bool) -> list[dict[str, Any]]:
    return [
        {"dataset_id": one.dataset_id, "filename": one.filename, "years": one.years, "sexes": one.sexes}
        for one in found.overlaps
        if one.replaced is replaced
    ]


def _problem(problem: Problem) -> dict[str, Any]:
    place = problem.place.place if isinstance(problem.place, InMember) else problem.place
    line, column = (place.row, place.column) if isinstance(place, Cell) else (None, None)
    values = as_values(problem.place)
    return {**values, "line": values.get("line", line), "column": column, "reason": problem.reason}


def _member(report: Report) -> dict[str, Any]:
    return {
        "filename": report.filename,
        "region": report.region,
        "years": report.years,
        "rows": report.rows,
        "total": report.total,
        "problem": str(report.problems[0]) if report.problems else None,
    }


def form_document() -> dict[str, Any]:
    """What the OpenAPI document says of the body of a form, and of the address."""
    fields = {name: _schema(name) | {"description": about} for name, about in FIELDS.items()}
    file = {"type": "string", "format": "binary", "description": "The file, under its publisher's name."}
    shape = {"type": "object", "required": [FILE], "properties": {FILE: file, **fields}}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": shape}}},
        "parameters": [*_parameters(IN_THE_ADDRESS), *_digest()],
    }


def raw_document() -> dict[str, Any]:
    """What it says of a body that is the file itself, and of the address."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "content": content}, "parameters": [*_parameters(FIELDS), *_digest()]}


def _parameters(names: Any) -> list[dict[str, Any]]:
    return [{"name": one, "in": "query", "schema": _schema(one), "description": FIELDS[one]} for one in names]


def _digest() -> list[dict[str, Any]]:
    about = "The SHA-256 of the body (RFC 9530): other bytes are refused."
    return [{"name": "Content-Digest", "in": "header", "schema": {"type": "string"}, "description": about}]


def _schema(name: str) -> dict[str, Any]:
    text = {"type": "string"}
    return {"type": "array", "items": text} if name in REPEATED else text
