"""What pytest does if something is missing: hooks for tests/conftest.py."""

from collections.abc import Generator

import pytest

from tests.cluster.errors import NotPrepared, Unavailable
from tests.prepare.needs import NEEDS, in_ci, lacking
from tests.prepare.parts import FOLDERS

_reported = pytest.StashKey[set[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose need is not met is skipped; with CI set the first one fails, so that it is said once.

    pytest folds the skips, as all of them come from the same line.
    """
    for name in (name for mark in item.iter_markers("needs") for name in mark.args):
        why = lacking(name)
        if why is None:
            continue
        reported = item.config.stash.setdefault(_reported, set())
        if in_ci() and not NEEDS[name].is_optional and name not in reported:
            reported.add(name)
            pytest.fail(f"{why}\nand with CI set they have to", pytrace=False)
        pytest.skip(why)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """If something is not built, one error says so with the command that builds it, and the session ends."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, NotPrepared | Unavailable):
        report.longrepr = str(call.excinfo.value)
        if isinstance(call.excinfo.value, NotPrepared):
            report.longrepr += f":\n    make prepare-{part_of(item)}"
        item.session.shouldfail = "something that the tests need is missing"
    return report


def part_of(item: pytest.Item) -> str:
    """The part that a test belongs to: its argument of `make prepare-…`."""
    return next((FOLDERS[parent.name] for parent in item.path.parents if parent.name in FOLDERS), "all")
