"""Answers as the OpenAPI document describes them."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from api.app import bare_app
from api.declared import DeclaredRoute
from tests.api.client import Answer


@cache
def _routes() -> dict[tuple[str, str], DeclaredRoute]:
    return {(one.method, one.path): one for one in bare_app().routes if isinstance(one, DeclaredRoute)}


def fitting(path: str, answer: Answer, method: str = "GET", status: int = 200) -> Any:
    """The JSON of an answer, which is of the route's model and has no member that the model does not have.

    Args:
        path, method: as the route is declared.
        status: of the answer; the route may have a model for each.
    """
    assert answer.status == status, answer.text
    route = _routes()[method, path]
    model: Any = route.response_model if status == (route.status_code or 200) else route.responses[status]["model"]
    adapter = TypeAdapter[Any](model)
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
