"""A problem that a parser noted ends the load before its commit, whatever the parser forgets."""

from pathlib import Path

import pytest

from dataset_jobs.model.errors import Rejected
from parser_runner.run import run
from tests.fakes.plugin import PARSERS, TITLE, install
from tests.integration.loads import claim_all, context_of
from tests.integration.world import World

FILE = "Ada,5\nGrace\nJoan,x\nMary,7\n"
"""Two of four lines are malformed."""


@pytest.mark.parametrize("when", [parser.name.removeprefix("jp-") for parser in PARSERS])
async def test_a_forgetful_parser_loads_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    install(tmp_path, monkeypatch)
    result = world.submit(world.file("names.csv", f"{TITLE}{when}\n{FILE}"), "JP")
    [one] = await claim_all(world)
    with pytest.raises(Rejected):
        run(context_of(world, one, None))
    assert world.rows(result.dataset_id) == 0
    assert world.query("select * from coverage") == []
    assert world.one("select committed_at from runs") == {"committed_at": None}


async def test_its_good_files_load(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    result = world.submit(world.file("names.csv", f"{TITLE}while-reading\nAda,5\nMary,7\n"), "JP")
    [one] = await claim_all(world)
    run(context_of(world, one, None))
    assert world.rows(result.dataset_id) == 2
