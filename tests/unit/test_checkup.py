"""Checks run at the same time, none hangs, and none runs without what it needs."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.requests import InvalidRequest
from services.checks.checkup import Check, check_up
from services.checks.database import check_version
from services.checks.findings import Finding, Fix, Verdict, ok, warning, wrong
from services.checks.machine import check_memory, check_space


def given(*found: Finding, needs: Sequence[str] = (), name: str = "one") -> Check:
    return Check(name, lambda: found, tuple(needs))


def results(*checks: Check, names: Sequence[str] = ()) -> dict[str, tuple[str, list[str]]]:
    return {one.name: (str(one.verdict), [finding.says for finding in one.findings]) for one in check_up(checks, names)}


def test_the_worst_finding_is_the_verdict() -> None:
    for found, verdict in (([ok("a"), warning("b")], "warning"), ([wrong("a"), warning("b")], "wrong"), ([], "ok")):
        assert results(given(*found))["one"][0] == verdict


def test_what_needs_something_wrong_is_skipped() -> None:
    found = results(given(wrong("a")), given(ok("b"), needs=["one"], name="two"), given(needs=["two"], name="three"))
    assert found["two"] == ("skipped", ["needs one, which is wrong"])
    assert found["three"] == ("skipped", ["needs two, which is skipped"])


def test_a_warning_keeps_nothing_back() -> None:
    assert results(given(warning("a")), given(ok("b"), needs=["one"], name="two"))["two"] == ("ok", ["b"])


def test_checks_run_at_the_same_time() -> None:
    barrier = threading.Barrier(2)

    def look() -> list[Finding]:
        barrier.wait(100)
        return [ok("met")]

    assert results(Check("one", look), Check("two", look)) == {"one": ("ok", ["met"]), "two": ("ok", ["met"])}


def test_a_check_that_hangs_is_given_up() -> None:
    for_ever = threading.Event()

    def hang() -> list[Finding]:
        for_ever.wait(30)
        return [ok("late")]

    found = results(Check("one", hang, seconds=lambda: 0.05), given(needs=["one"], name="two"))
    for_ever.set()
    assert found["one"][1][0].startswith("no answer within 0.05 s: ")
    assert found["two"] == ("skipped", ["needs one, which is wrong"])


def test_an_error_is_a_finding_with_its_hints() -> None:
    def look() -> list[Finding]:
        raise Unavailable("database: it sleeps", hints=[Hint(Action.MIGRATE)])

    [checked] = check_up([Check("one", look)])
    assert checked.findings == (Finding(Verdict.WRONG, "database: it sleeps", (Fix(Hint(Action.MIGRATE)),)),)


def test_a_fault_of_a_check_is_a_finding_without_its_text() -> None:
    def look() -> list[Finding]:
        raise ValueError("a secret")

    [finding] = next(check_up([Check("one", look)])).findings
    assert finding.says.startswith("a fault of this program: ValueError at test_checkup.py:")


def test_only_the_named_checks_are_reported() -> None:
    checks = (given(ok("a")), given(ok("b"), needs=["one"], name="two"), given(name="three"))
    assert [*results(*checks, names=["two"])] == ["two"]
    assert [*results(given(wrong("a")), *checks[1:], names=["two"])] == ["one", "two"]
    with pytest.raises(InvalidRequest, match="there is no check 'four': there are one, two, three"):
        results(*checks, names=["four"])


@pytest.mark.parametrize(
    ("memory", "says", "shell"),
    [
        (300, "one workbook may take 256 MiB", "export LIMIT_WORKBOOK_MEMORY_MIB=172"),
        (1000, "4 runs at once may take 1,536 MiB", "export WORKER_CONCURRENCY=2"),
        (20000, "20 GiB of memory; 4 runs at once take at most 1,536 MiB", None),
    ],
)
def test_memory_is_compared_with_what_runs_take(memory: int, says: str, shell: str | None) -> None:
    [finding] = check_memory(4, Limits(), memory)
    assert says in finding.says
    assert [fix.shell for fix in finding.fixes] == ([shell] if shell else [])


def test_runs_in_pods_need_no_memory_here() -> None:
    [finding] = check_memory(0, Limits(), 64)
    assert finding == ok("64 MiB of memory; runs have pods of their own")


def test_a_folder_that_is_not_there_is_judged_by_the_one_above(tmp_path: Path) -> None:
    [finding] = check_space({"files in": tmp_path / "not" / "there"}, Limits(file_mib=1))
    assert finding.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("number", "verdicts"), [(140020, ["wrong"]), (150004, []), (180001, []), (190000, ["warning"])]
)
def test_versions_of_postgres_are_15_to_18(number: int, verdicts: list[str]) -> None:
    assert [str(one.verdict) for one in check_version(number)] == verdicts
