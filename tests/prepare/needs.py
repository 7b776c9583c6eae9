"""What a machine must have for some of the tests; without it they are skipped, and fail with CI set."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from tests.cluster import existing, kind, lifecycle, packages
from tests.cluster.errors import Unavailable


@dataclass(frozen=True)
class Need:
    """Something that is there or not; nothing is built for it.

    Args:
        tests: which tests are skipped without it.
        why_not: returns the reason if it is missing, else None.
        goals: of make, which bring it or run the tests with it.
        is_optional: the tests are skipped with CI set, too.
    """

    tests: str
    why_not: Callable[[], str | None]
    goals: str = "cluster-deps"
    is_optional: bool = False


def in_ci() -> bool:
    """Whether a test that cannot run is a failure."""
    return bool(os.environ.get("CI"))


def _kubernetes() -> str | None:
    try:
        lifecycle.choose()
    except Unavailable as error:
        return str(error)
    return None


def _programs(*names: str) -> Callable[[], str | None]:
    def why_not() -> str | None:
        missing = packages.missing({name: packages.OF_OTHER_TESTS[name] for name in names})
        return f"Debian packages are missing: {' '.join(missing)}" if missing else None

    return why_not


POSTGRES_15 = "/usr/lib/postgresql/15/bin/initdb"
NEEDS = {
    "kubernetes": Need("the end-to-end tests", _kubernetes, "cluster-deps e2e"),
    "spin": Need("the tests of the lease model", _programs("spin", "gcc", "gencat")),
    "curl": Need("the commands of docs/api.md", _programs("curl")),
    "browser": Need("the tests of pages with a browser", _programs("chromium-headless-shell")),
    "pgbouncer": Need("the tests with PgBouncer", _programs("pgbouncer")),
    "promtool": Need("promtool's checks", _programs("promtool")),
    # Another Debian has another Postgres.
    "postgres-15": Need("the integration tests on Postgres 15", _programs(POSTGRES_15), is_optional=True),
}


@cache
def lacking(name: str) -> str | None:
    """Why the tests with this need cannot run here, and on a line of its own the command that helps; None if they can.

    Args:
        name: a key of NEEDS.
    """
    need = NEEDS[name]
    why = need.why_not()
    if why is None:
        return None
    said = f"{need.tests} {'cannot run' if in_ci() else 'are skipped'}: {why}"
    return f"{said}\n    {_command(need.goals)}" if _helps(name) else said


def may_install(names: Iterable[str]) -> bool:
    """Whether the step installs Debian packages unasked for these needs: as root in CI, and if that helps."""
    return in_ci() and os.geteuid() == 0 and any(lacking(name) and _helps(name) for name in names)


def _helps(name: str) -> bool:
    """Whether only packages or the rights of root are missing."""
    if name != "kubernetes":
        return True
    by_others = existing.why_not() is None or kind.why_not() is None
    return sys.platform == "linux" and not by_others and (os.geteuid() != 0 or bool(packages.missing()))


def _command(goals: str) -> str:
    return f"{'' if os.geteuid() == 0 else 'sudo '}make {goals}"
