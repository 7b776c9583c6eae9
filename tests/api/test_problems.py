"""The list of problem codes, the codes that routes use, and the OpenAPI document are the same."""

import ast
import json
from pathlib import Path

import pytest

import api as package
from api.app import bare_app
from api.declared import DeclaredRoute
from api.openapi import document
from api.problem_codes import PROBLEMS
from docs.generate import openapi
from tests.api.client import Api

CODE = Path(package.__file__).parent


def raised() -> set[str]:
    """The codes that the code raises: those that it names elsewhere than in declarations."""
    paths = [path for path in CODE.rglob("*.py") if path.name not in ("problem_codes.py", "declared.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    declared = {
        id(inner)
        for node in nodes
        if isinstance(node, ast.keyword) and node.arg == "problems"
        for inner in ast.walk(node.value)
    }
    constants = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in declared)
    return {node.value for node in constants if isinstance(node.value, str) and node.value in PROBLEMS}


def test_every_code_of_the_list_is_used() -> None:
    assert raised() == PROBLEMS.keys()


def test_the_document_has_every_code_that_a_route_declares() -> None:
    found = document(bare_app())
    for route in bare_app().routes:
        assert isinstance(route, DeclaredRoute)
        answers = found["paths"][route.path_format][route.method.lower()]["responses"]
        for code in route.declared.all_problems:
            statuses = [str(status) for status in PROBLEMS[code].statuses]
            assert all(status in answers for status in statuses), (route.path, code)


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_says_what_happened_and_what_to_do(code: str) -> None:
    kind = PROBLEMS[code]
    assert kind.happened.endswith(".")
    assert kind.example
    assert 400 <= kind.status < 600


def test_every_code_has_a_page(api: Api) -> None:
    for code, kind in PROBLEMS.items():
        page = api.get(f"/problems/{code}", role=None)
        assert page.status == 200
        assert kind.title in page.text
    assert api.get("/problems/none-such", role=None).code == "not-found"


def test_the_committed_document_is_that_of_the_routes(api: Api) -> None:
    assert openapi.PAGE.read_text(encoding="utf-8") == openapi.page(), "run `make docs`"
    assert api.get("/v1/openapi.json", role=None).json == json.loads(openapi.page())
