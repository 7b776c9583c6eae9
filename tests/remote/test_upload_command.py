"""`upload`, and `submit` over an API: what is known is not sent, and doing it again goes on."""

import json
import shutil
from pathlib import Path

import pytest

from tests.api.client import running
from tests.integration.command_line import answer
from tests.integration.world import NATIONAL, World
from tests.remote.conftest import BothWays, both_ways


def names_of(both: BothWays, count: int = 10) -> Path:
    """A folder with publishers' files."""
    folder = both.world.folder / "names"
    folder.mkdir()
    for path in sorted(NATIONAL.glob("yob*.txt"))[:count]:
        shutil.copy(path, folder)
    return folder


def test_a_folder_is_uploaded_and_the_second_time_nothing_is_sent(both: BothWays) -> None:
    folder = names_of(both)
    first = both.remote("upload", folder, "--country", "us", "--json")
    assert {one["result"] for one in answer(first)} == {"created"}
    kept = both.world.query("select id, sha256 from datasets")
    assert len(kept) == 10
    again = both.remote("upload", folder, "--country", "US")
    assert "10 files: 0 sent, 10 there already" in again.stderr
    assert again.stdout.count("unchanged") == 10


def test_submitting_over_the_api_says_what_submitting_directly_says(both: BothWays) -> None:
    folder = names_of(both, 3)
    by_api = answer(both.remote("submit", folder, "--country", "US", "--json"))
    directly = answer(both.direct("submit", folder, "--country", "US", "--json"))
    assert [one | {"result": "unchanged"} for one in by_api] == directly
    assert {one["result"] for one in by_api} == {"created"}
    by_api_again, directly_again = (run("submit", folder, "--country", "US") for run in (both.remote, both.direct))
    assert by_api_again.stdout == directly_again.stdout


@pytest.mark.parametrize("command", ["submit", "upload"])
def test_one_refused_file_does_not_stop_the_others(both: BothWays, command: str) -> None:
    good, empty = both.world.file("yob2020.txt", "Mary,F,7\n"), both.world.folder / "missing.txt"
    done = both.remote(command, empty, good, "--country", "US", code=65)
    assert "missing.txt: no such file" in done.stderr
    assert done.stdout.count("created") == 1


def test_the_same_bytes_under_a_wrong_name_are_refused_alike(both: BothWays) -> None:
    loaded = both.world.file("yob2020.txt", "Mary,F,7\n")
    both.direct("load", loaded, "--country", "US")
    other = both.world.file("yob2021.txt", "Mary,F,7\n")
    directly = both.direct("submit", other, "--country", "US", code=65)
    by_api = both.remote("submit", other, "--country", "US", code=65)
    assert directly.stderr.rpartition("affirm-worker ")[2] == by_api.stderr.rpartition("affirm-worker ")[2]
    assert "delete that one first" in by_api.stderr


def test_what_has_failed_is_sent_again_with_what_it_lacked(both: BothWays) -> None:
    nameless = both.world.file("list.txt", "Mary,F,7\n")
    first = answer(both.remote("upload", nameless, "--country", "US", "--json"))
    again = answer(both.remote("upload", nameless, "--country", "US", "--year", "2020", "--json"))
    assert [one["result"] for one in again] == ["corrected"]
    assert again[0]["dataset_id"] == first[0]["dataset_id"]


def test_two_files_with_the_same_bytes_are_one_dataset(both: BothWays) -> None:
    one, two = (both.world.folder / name / "yob2020.txt" for name in ("a", "b"))
    for path in (one, two):
        path.parent.mkdir()
        path.write_text("Mary,F,7\n")
    done = answer(both.remote("upload", one, two, "--country", "US", "--json"))
    assert [each["result"] for each in done] == ["created", "unchanged"]


def test_a_check_keeps_nothing(both: BothWays) -> None:
    good, bad = both.world.file("yob2020.txt", "Mary,F,7\n"), both.world.file("yob2021.txt", "Mary,F\n")
    done = both.remote("upload", good, bad, "--country", "US", "--check", code=65)
    assert "yob2020.txt: ok, us-ssa-national, 1 row, 2020" in done.stdout
    assert "yob2021.txt: not ok\n  line 1: " in done.stdout
    assert both.world.query("select 1 from datasets") == []
    assert [one["ok"] for one in answer(both.remote("upload", good, "--country", "US", "--check", "--json"))] == [True]


def test_an_upload_needs_an_api(both: BothWays) -> None:
    path = both.world.file("yob2020.txt", "Mary,F,7\n")
    assert "upload needs an API" in both.direct("upload", path, "--country", "US", code=78).stderr


def test_a_batch_is_found_by_its_name(both: BothWays) -> None:
    path = both.world.file("yob2020.txt", "Mary,F,7\n")
    both.remote("upload", path, "--country", "US", "--batch", "May 2026")
    assert json.loads(both.remote("datasets", "list", "--json").stdout)[0]["batch"] == "May 2026"


def test_what_is_known_passes_an_api_that_takes_nothing(world: World) -> None:
    """So no byte of it can have been sent."""
    with running(world, api_read_only=True) as reads:
        both = both_ways(world, reads)
        folder = names_of(both, 3)
        both.direct("submit", folder, "--country", "US")
        assert "3 files: 0 sent, 3 there already" in both.remote("upload", folder, "--country", "US").stderr
        new = world.file("yob2020.txt", "Mary,F,7\n")
        assert "read" in both.remote("upload", new, "--country", "US", code=77).stderr
