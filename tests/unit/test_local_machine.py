"""Errors of the machine, seen from this process alone: which errors they become, and which remain the file's."""

import errno
import io
import os
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import OutOfMemory, Rejected, Unavailable
from dataset_jobs.model.local_machine import machine_error
from parser_runner.machine import local_file, temporary_file
from parser_runner.parsers import parse
from parser_runner.process import outcome_of
from tests.faults.actor import Actor, Boundary, Kind, fault_at
from tests.faults.conditions import no_more_open_files
from tests.faults.machine import ERRORS, MachineAtRisk
from tests.unit.parsing import source


@pytest.mark.parametrize("number", ERRORS, ids=[errno.errorcode[one] for one in ERRORS])
def test_no_error_of_the_system_is_about_a_file(number: int) -> None:
    outcome = outcome_of(OSError(number, os.strerror(number)))
    assert outcome.cause is (Cause.OUT_OF_MEMORY if number == errno.ENOMEM else Cause.UNAVAILABLE)
    assert os.strerror(number) in outcome.error or number == errno.ENOMEM


def test_missing_memory_is_told_apart() -> None:
    assert isinstance(machine_error(MemoryError(), "sort"), OutOfMemory)
    assert outcome_of(MemoryError()).exit_code == 71
    assert outcome_of(KeyError("a name")).cause is Cause.CRASHED


@pytest.mark.parametrize(("what", "given"), [("read", ()), ("readline", ()), ("write", (b"x",)), ("seek", (0,))])
def test_each_use_of_a_temporary_file_may_fail(what: str, given: tuple[object, ...]) -> None:
    plan = fault_at(Boundary("machine", f"{what} of a temporary file"), 0, Kind.UNAVAILABLE)
    file = temporary_file(MachineAtRisk(Actor(plan)))
    with pytest.raises((Unavailable, OutOfMemory), match="local machine: cannot"):
        getattr(file, what)(*given)
    file.close()


def test_an_offset_of_a_damaged_archive_is_not_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"PK")
    with local_file((tmp_path / "file").open("rb"), "file") as file, pytest.raises(ValueError, match="no such offset"):
        file.seek(-22, io.SEEK_END)


def test_a_parser_that_cannot_be_looked_for_is_not_missing() -> None:
    """Other packages may bring one; a folder that cannot be listed has none, as importlib.metadata sees it."""
    unknown = source("some,other,list\n", "names.csv")
    with pytest.raises(Rejected) as refused:
        parse(unknown, "ZZ")
    assert refused.value.reason is Reason.NO_PARSER
    with no_more_open_files(), pytest.raises(Unavailable, match="EMFILE"):
        parse(unknown, "ZZ")
    with pytest.raises(Rejected):
        parse(unknown, "ZZ")
