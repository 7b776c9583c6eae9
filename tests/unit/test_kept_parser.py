"""Which files share a process: short plain text of one country, read to its end. All others have one of their own."""

import bz2
import os
import select
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import Limits
from parser_runner.apart.parser import FILES_OF_A_PARSER, ParserParent
from parser_runner.apart.plain import MOST_BYTES, is_plain
from parser_runner.file_parser import FileToParse
from tests.fakes.plugin import install
from tests.faults.conditions import descendants

PLAIN = b"Emma,F,15433\nLiam,M,14\n"
ROWS = "".join(
    f"Emma{chr(97 + n // 676)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)},F,5\n" for n in range(6000)
).encode()
LONG, NEARLY = ROWS[: ROWS.index(b"\n", MOST_BYTES) + 1], ROWS[: ROWS.rindex(b"\n", 0, MOST_BYTES) + 1]
LIMITS = Limits()


@pytest.fixture
def parent() -> Iterator[ParserParent]:
    with closing(ParserParent.started()) as parent:
        yield parent


def processes(parent: ParserParent, content: bytes = PLAIN, country: str = "US", limits: Limits = LIMITS) -> set[int]:
    """Reads a file; the processes that there are then, its parser among them."""
    name = "yob2020.txt" if country == "US" else "names.csv"
    with closing(parent.parser(FileToParse(name, country, limits=limits))) as parser:
        parser.write(content)
        parser.parse(lambda rows_done: None)
        list(parser.blocks())
        return {*descendants(os.getpid())}


def test_plain_files_share_a_process(parent: ParserParent) -> None:
    assert processes(parent) == processes(parent, b"Olivia,F,7\n")


def test_each_of_them_gives_its_own_rows(parent: ParserParent) -> None:
    for name in ("Emma", "Olivia"):
        with closing(parent.parser(FileToParse("yob2020.txt", "US"))) as parser:
            parser.write(f"{name},F,7\n".encode())
            parser.parse(lambda rows_done: None)
            assert b"".join(parser.blocks()) == f"2020\t{name}\tF\t{name.lower()}\t7\n".encode()


OTHERS = {"long": LONG, "compressed": bz2.compress(PLAIN), "UTF-16": PLAIN.decode().encode("utf-16")}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_other_files_share_none(parent: ParserParent, content: bytes) -> None:
    assert len({frozenset(processes(parent, one)) for one in (PLAIN, content, content, PLAIN)}) == 4


def test_other_limits_get_another_process(parent: ParserParent) -> None:
    assert processes(parent) != processes(parent, limits=Limits(rows=10))


def test_another_country_gets_another_process(parent: ParserParent, tmp_path: Path) -> None:
    before = processes(parent)
    with closing(parent.parser(FileToParse("names.csv", "GB"))) as parser:
        parser.write(PLAIN)
        with pytest.raises(Rejected):
            parser.parse(lambda rows_done: None)
        assert {*descendants(os.getpid())} != before


def test_a_refused_file_ends_its_process(parent: ParserParent) -> None:
    before = processes(parent)
    with closing(parent.parser(FileToParse("yob2020.txt", "US"))) as parser:
        parser.write(b"Emma,F,many\n")
        with pytest.raises(Rejected):
            parser.parse(lambda rows_done: None)
    assert processes(parent) != before


def test_a_file_read_in_part_ends_its_process(parent: ParserParent) -> None:
    before = processes(parent)
    with closing(parent.parser(FileToParse("yob2020.txt", "US"))) as parser:
        parser.write(PLAIN)
        parser.parse(lambda rows_done: None)
    assert processes(parent) != before


def test_a_process_reads_a_bounded_number_of_files(parent: ParserParent) -> None:
    found = [frozenset(processes(parent)) for _ in range(FILES_OF_A_PARSER + 1)]
    assert len({*found[:-1]}) == 1
    assert found[-1] != found[0]


def test_a_process_ends_long_before_its_limit(parent: ParserParent) -> None:
    """Files before the last one use no more than a tenth of its processor time."""
    limits = Limits(cpu_seconds=1)
    found = {frozenset(processes(parent, NEARLY, limits=limits)) for _ in range(FILES_OF_A_PARSER)}
    assert len(found) > 1


def test_a_kept_process_may_die(parent: ParserParent) -> None:
    last = max(processes(parent))
    watched = os.pidfd_open(last)
    os.kill(last, signal.SIGKILL)
    select.select([watched], [], [])
    os.close(watched)
    assert last not in processes(parent)


def test_with_packages_files_share_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "tests.fakes.hostile")
    with closing(ParserParent.started()) as parent:
        assert processes(parent) != processes(parent)


@pytest.mark.parametrize("content", [b"", "Zo\xeb,F,5\r\n".encode(), b"a\tb\n", b"x" * MOST_BYTES])
def test_short_text_is_plain(content: bytes) -> None:
    assert is_plain(content)


@pytest.mark.parametrize("content", [b"BZh9", b"\x1f\x8b", b"PK\x05\x06", b"a\0", b"\xff", b"x" * (MOST_BYTES + 1)])
def test_all_else_is_not(content: bytes) -> None:
    assert not is_plain(content)
