"""Answers as the OpenAPI document describes them."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from api.app import bare_app
from api.declared import DeclaredRoute
from tests.api.client import Answer


@cache
def _routes() -> dict[str, DeclaredRoute]:
    return {route.path: route for route in bare_app().routes if isinstance(route, DeclaredRoute)}


def fitting(path: str, answer: Answer) -> Any:
    """The JSON of an answer, which is of the route's model and has no member that the model does not have.

    Args:
        path: as the route is declared; of a method that is the only one with a model.
    """
    assert answer.status == 200, answer.text
    adapter = TypeAdapter[Any](_routes()[path].response_model)
    parsed = adapter.validate_json(answer.body)
    _same_members(answer.json, adapter.dump_python(parsed, mode="json"), path)
    return answer.json


def _same_members(given: Any, modelled: Any, where: str) -> None:
    if isinstance(given, dict) and isinstance(modelled, dict):
        assert given.keys() <= modelled.keys(), (where, given.keys() - modelled.keys())
        for name, value in given.items():
            _same_members(value, modelled[name], f"{where}.{name}")
    elif isinstance(given, list) and isinstance(modelled, list):
        assert len(given) == len(modelled), where
        for one, other in zip(given, modelled, strict=True):
            _same_members(one, other, where)
