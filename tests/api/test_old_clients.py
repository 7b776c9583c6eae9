"""Clients of the old Go API and of the names explorer: what they read is there, in the shape that they know.

`old_clients/go_api.json` and `old_clients/names_explorer.json` have requests, and answers as those services documented
them. An answer of ours may have more members. Each recorded value stands for its type; null for any. `ours` is our
status, where it is another one of the same kind.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.client import Answer, Api, running
from tests.api.forms import Part
from tests.api.reading import one_of_each
from tests.api.uploading import send
from tests.integration.world import World

FOLDER = Path(__file__).parent / "old_clients"
ERROR = {"error": {"code": "validation_error", "message": "…", "details": [{"field": "…", "message": "…"}]}}
FILE_MIB = 1


async def filled(api: Api) -> dict[str, str]:
    """An installation with something of each kind, and what stands for that in a recorded request."""
    loaded, failed, _ = await one_of_each(api)
    country = api.world.one("select id from countries where code = 'US'")["id"]
    return {
        "country_id": str(country), "dataset_id": str(loaded.dataset_id), "job_id": str(loaded.job_id),
        "failed_job_id": str(failed.job_id), "failed_dataset_id": str(failed.dataset_id),
        "nothing": "00000000-0000-4000-8000-000000000000",
        "too_large": "Mary,F,7065\n" * (FILE_MIB << 17),
    }  # fmt: skip


def asked(api: Api, recorded: dict[str, Any], names: dict[str, str]) -> Answer:
    method, _, path = recorded["request"].format_map(names).partition(" ")
    if "form" not in recorded:
        return api.request(method, path, json_body=recorded.get("json"))
    parts = []
    for name, value in recorded["form"].items():
        file, text = value if isinstance(value, list) else ("", value)
        parts.append(Part(name, text.format_map(names).encode(), file) if file else Part(name, text.format_map(names)))
    return send(api, *parts, path=path)


def check_shape(recorded: Any, ours: Any, where: str = "") -> None:
    """Whatever is recorded is there, and of the same type."""
    if isinstance(recorded, dict):
        assert isinstance(ours, dict), where
        for name, value in recorded.items():
            assert name in ours, f"{where}.{name}"
            check_shape(value, ours[name], f"{where}.{name}")
    elif isinstance(recorded, list):
        assert isinstance(ours, list), where
        assert ours or where.endswith("details"), f"{where}: nothing to compare"
        for one in ours:
            check_shape(recorded[0], one, f"{where}[]")
    elif isinstance(recorded, bool) or recorded is None:
        assert recorded is None or isinstance(ours, bool), where
    elif isinstance(recorded, int | float):
        assert isinstance(ours, int | float) and not isinstance(ours, bool), where
    else:
        assert isinstance(ours, str), where


@pytest.mark.parametrize("client", ["go_api", "names_explorer"])
async def test_old_clients_find_what_they_read(client: str, world: World) -> None:
    with running(world, limit_file_mib=FILE_MIB) as api:
        names = await filled(api)
        for recorded in json.loads((FOLDER / f"{client}.json").read_text()):
            check(recorded, asked(api, recorded, names))


def check(recorded: dict[str, Any], answer: Answer) -> None:
    """The answer is what was recorded: its kind of status, and each member."""
    what, old = recorded["what"], recorded.get("status", 200)
    ours = recorded.get("ours", old)
    assert (answer.status, ours // 100) == (ours, old // 100), f"{what}: {answer.text}"
    if "error" in recorded:
        check_shape(ERROR, answer.json, what)
        named = {one["field"].partition(".")[0] for one in answer.json["error"]["details"]}
        assert named >= set(recorded["error"]), what
    elif recorded["body"] is None:
        assert answer.body == b"", what
    else:
        check_shape(recorded["body"], answer.json, what)
