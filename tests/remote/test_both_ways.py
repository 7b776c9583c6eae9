"""The same command says the same, and ends with the same exit code, whichever way it asks."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

import pytest

from tests.api.client import running
from tests.integration.world import NO_RETRIES, World
from tests.remote.conftest import BothWays, both_ways, without_where


@dataclass(frozen=True, slots=True)
class Ids:
    """What commands can be about."""

    loaded: str
    failed: str
    waiting: str
    dataset: str
    failed_dataset: str


@pytest.fixture
def lived_in(world: World) -> Iterator[tuple[BothWays, Ids]]:
    """A loaded dataset, a failed one and one that waits."""
    loaded = world.submit_small(2020, "Mary,F,10\nAnna,F,9\nJohn,M,8\n")
    failed = world.submit_small(2021, "Mary,F\n")
    asyncio.run(world.run_until_idle(retry=NO_RETRIES))
    waiting = world.submit_small(2022)
    ids = Ids(*map(str, (loaded.job_id, failed.job_id, waiting.job_id, loaded.dataset_id, failed.dataset_id)))
    with running(world) as api:
        yield both_ways(world, api), ids


LOOKS = [
    "jobs list",
    "jobs list --json",
    "jobs list --wide --sort file",
    "jobs list --sort -rows -n 1",
    "jobs list --state failed --state queued --cause rejected",
    "jobs list --country US --file yob202* --since 1h",
    "jobs list --dataset {dataset} --json",
    "jobs list --country XX",
    "jobs list --pool nowhere",
    "jobs list --sort nothing",
    "jobs show {loaded}",
    "jobs show {failed} --json",
    "jobs show {waiting}",
    "jobs show {waiting} --json",
    "jobs show 00000000",
    "jobs show {dataset}",
    "jobs show x",
    "jobs explain {loaded}",
    "jobs explain {failed}",
    "jobs explain {failed} --utc",
    "jobs explain {failed} --json",
    "jobs explain {waiting}",
    "jobs logs",
    "jobs logs {loaded}",
    "jobs logs {failed} --json",
    "jobs logs {loaded} --run 7",
    "jobs logs {failed} --follow",
    "datasets list",
    "datasets list --json",
    "datasets list --status failed --country us",
    "datasets list --sort size",
    "datasets show {dataset}",
    "datasets show {dataset} --json",
    "datasets show {failed_dataset}",
    "datasets show {loaded}",
    "datasets show {dataset} --description",
    "datasets delete {failed_dataset} --dry-run",
    "pools list",
    "pools list --json",
    "pools show default",
    "pools show defualt",
    "schedules list",
    "schedules show nothing",
    "keys list",
]


@pytest.mark.parametrize("some", [LOOKS[at::4] for at in range(4)], ids=str)
def test_a_look_says_the_same_both_ways(some: list[str], lived_in: tuple[BothWays, Ids]) -> None:
    both, ids = lived_in
    check_same(both, ids, some)


def test_the_status_says_the_same_but_for_where(lived_in: tuple[BothWays, Ids]) -> None:
    both, ids = lived_in
    check_same(both, ids, ["status", "status --wide"])
    direct, remote = (json.loads(run("status", "--json").stdout) for run in (both.direct, both.remote))
    assert (direct.pop("api"), remote.pop("api")) == (None, both.address)
    assert {*direct} == {*remote}
    for part in ("pools", "controllers", "blocked", "failing", "problems"):
        assert [{*one} for one in direct[part]] == [{*one} for one in remote[part]], part


def check_same(both: BothWays, ids: Ids, some: list[str]) -> None:
    """Each of these commands says the same both ways."""
    differ: dict[str, list[tuple[int, str, str]]] = {}
    for line in some:
        words = [word.format(**{name: getattr(ids, name) for name in Ids.__slots__}) for word in line.split()]
        direct, remote = (run(*words, code=None) for run in (both.direct, both.remote))
        folder = both.world.folder
        said = [
            (one.returncode, without_where(one.stdout, folder), without_where(one.stderr, folder))
            for one in (direct, remote)
        ]
        if said[0] != said[1]:
            differ[line] = said
    assert not differ, "\n\n".join(map(_difference, differ, differ.values()))


def _difference(line: str, said: list[tuple[int, str, str]]) -> str:
    (code, *direct), (other, *remote) = said
    lines = unified_diff("".join(direct).splitlines(), "".join(remote).splitlines(), "direct", "remote", lineterm="")
    return "\n".join([f"{line}: {code} and {other}", *lines])
