"""Requests as the OpenAPI document allows them, and as it does not: no fault, and no answer that it does not have."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import bare_app
from api.declared import DeclaredRoute
from tests.api.acting import FAIL
from tests.api.client import Api, running
from tests.integration.world import World

EXAMPLES = 20
"""For each operation, of requests that the document allows and of others."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STREAM = "text/event-stream"


def operations() -> list[tuple[str, str]]:
    """Each path and method, what deletes last. Streams do not end by themselves, so they are left out."""
    routes = [one for one in bare_app().routes if isinstance(one, DeclaredRoute)]
    found = [(one.path, one.method) for one in routes if STREAM not in one.declared.gives]
    return sorted(found, key=lambda one: one[1] == "DELETE")


@pytest.fixture
def filled(world: World) -> Iterator[tuple[Api, Mapping[str, str]]]:
    """An API with something of everything, and the names of these things by the parameters of paths."""
    with running(world, api_requests_per_minute=1_000_000) as api:
        (world.folder / "storage" / "in").mkdir()
        done, failed = world.submit_small(2000), world.submit_small(2001)
        world.query(FAIL, failed.job_id)
        world.client.schedules.add("us", "0 5 * * *", "UTC", "in", "US", "default")
        made = api.post("/v1/operations", json_body={"action": "retry", "filter": {"batch": "none"}})
        key = api.post("/v1/keys", json_body={"name": "another", "role": "viewer"}).json["data"]["id"]
        names = {
            "job_id": str(failed.job_id), "dataset_id": str(done.dataset_id), "name": "default", "country": "US",
            "operation_id": made.json["data"]["id"], "key_id": key,
        }  # fmt: skip
        yield api, names


def test_every_operation_answers_as_the_document_says(
    filled: tuple[Api, Mapping[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    api, names = filled
    schema = schemathesis.openapi.from_dict(api.get("/v1/openapi.json", role=None).json)
    counts, wrong = dict[str, int](), list[str]()
    for path, method in operations():
        for mode in GenerationMode:
            name = f"{method} {path}"
            try:
                counts[name] = counts.get(name, 0) + _try(api, names, schema[path][method], mode)
            except (FailureGroup, Failure) as failure:
                wrong.append(f"{name}, {mode}: {failure}\n{failure.__notes__}")
    with capsys.disabled():
        print(f"\nschemathesis: {sum(counts.values())} requests to {len(counts)} operations")
    assert "\n".join(wrong) == ""
    assert all(counts.values())


def _try(api: Api, names: Mapping[str, str], operation: Any, mode: GenerationMode) -> int:
    """Sends requests to one operation; how many."""
    sent = 0
    session = requests.Session()
    where = f"http://127.0.0.1:{api.listening.port}"

    @seed(1)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    def send(case: Any, real: bool) -> None:
        nonlocal sent
        for name in case.path_parameters or {}:
            if real and name in names:
                case.path_parameters[name] = "us" if "/schedules/" in operation.path else names[name]
        answer = case.call(base_url=where, session=session, headers={"Authorization": f"Bearer {api.keys['admin']}"})
        case.validate_response(answer, checks=CHECKS)
        sent += 1

    # Of a request without parameters and body there is none that the document does not allow.
    with session, suppress(Unsatisfiable):
        send()
    return sent
