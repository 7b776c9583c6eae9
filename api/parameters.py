"""Parameters and fields that nobody knows are refused, with the name that was probably meant."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from api.problems import FieldError, Problem
from app.settings.near_misses import nearest
from dataset_jobs.model.text import one_line

_SHOWN = 40
"""Characters that an answer repeats of a name."""


def check_query(query: bytes, known: Iterable[str]) -> None:
    """Refuses parameters of the address that a route does not know.

    Args:
        query: as it was sent.
        known: the names that it knows.
    """
    names = list(known)
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    wrong = [unknown(name, names) for name in given if name not in names]
    if wrong:
        raise Problem("unknown-parameter", "; ".join(one["message"] for one in wrong), wrong)
    if zeros := [name for name, value in given.items() if "\0" in value]:  # a database cannot compare such a text
        why = "a zero byte is in it"
        errors: list[FieldError] = [{"field": name, "message": why} for name in zeros]
        raise Problem("field-invalid", f"{zeros[0]}: {why}", errors, status=400)


def unknown(given: str, known: Iterable[str]) -> FieldError:
    """The error of a name that is not known, with the nearest one or all of them."""
    shown, names = one_line(given)[:_SHOWN], sorted(known)
    near = nearest(given, names)
    if near is not None:
        advice = f"did you mean {near}?"
    else:
        advice = f"known are {', '.join(names)}" if names else "there are none here"
    return {"field": shown, "message": f"{shown!r} is not known: {advice}"}


class Body(BaseModel):
    """A JSON body. Fields that it does not have are refused, with the nearest one."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _knows_all(cls, values: Any) -> Any:
        if isinstance(values, dict):
            known = [info.alias or name for name, info in cls.model_fields.items()]
            wrong = [unknown(str(name), known)["message"] for name in values if name not in known]
            if wrong:
                raise PydanticCustomError("unknown_field", "{message}", {"message": "; ".join(wrong)})
        return values


def validation_problem(error: RequestValidationError) -> Problem:
    """The answer to what FastAPI found wrong with a request."""
    found = error.errors()
    errors = [_field_error(one) for one in found]
    detail = "; ".join(one["message"] if one["field"] == "" else f"{one['field']}: {one['message']}" for one in errors)
    where = {str(one["loc"][0]) for one in found if one["loc"]}
    if "path" in where:
        return Problem("not-found", f"there is no such item: {detail}", errors)
    if any(one["type"] == "json_invalid" for one in found):
        return Problem("not-json", f"the body is not valid JSON: {detail}", errors)
    return Problem("field-invalid", detail, errors, status=422 if "body" in where else 400)


def _field_error(error: Any) -> FieldError:
    place = [str(one) for one in error["loc"][1:]]
    message = str(error["msg"])
    if error["type"] == "missing" and not place:
        message = "a JSON object is needed as body"
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return {"field": "" if error["type"] == "json_invalid" else ".".join(place), "message": message}


_WORDS = {
    "Value error, ": "",
    "Field required": "it is needed",
    "Input should be a valid ": "expected a valid ",
    "Input should be ": "expected ",
}
"""What pydantic says, and our words for it."""
