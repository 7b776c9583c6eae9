"""Only the database's clock decides about jobs: what else reads a wall clock is listed here, with the reason."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.outcomes.diagnosis import diagnose
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.settlement import Evidence, RunFigures

ROOT = Path(__file__).parents[2]
WALL_CLOCKS = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.asctime", "time.strftime",
    "time.clock_gettime", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
}  # fmt: skip
ALLOWED = {
    "controller/launchers/kubernetes/events.py": "the time of a Kubernetes event, for people",
    "controller/on_one_machine.py": "since when a log on a terminal runs: later days have a date",
    "controller/pools/unheeded.py": "since when nobody heeds a ParserPool, for people",
    "dataset_jobs/logs.py": "the time of a log line",
    "dataset_jobs/model/description_check.py": "no list is of a year that is to come",
    "parser_runner/log_tail.py": "the time of a log line that is kept",
    "parser_runner/parsers/publishers/us_ssa.py": "no file is of a year that is to come",
    "parser_runner/parsers/values.py": "no file is of a year that is to come",
}


def wall_clocks_in(source: str) -> set[str]:
    """What of `WALL_CLOCKS` a module uses, by whatever name it was imported."""
    tree = ast.parse(source)
    full = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            full.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            full.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, *rest = ast.unparse(node).split(".")
            name = ".".join([full.get(first, first), *rest])
            used |= {clock for clock in WALL_CLOCKS if name == clock or name.endswith(f".{clock}")}
    return used


def test_no_module_that_decides_reads_a_wall_clock() -> None:
    folders = ("controller", "parser_runner", "dataset_jobs")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 50
    using = {str(path.relative_to(ROOT)): used for path in files if (used := wall_clocks_in(path.read_text()))}
    assert using.keys() <= ALLOWED.keys(), using


def test_a_wall_clock_is_found_under_any_name() -> None:
    for source in (
        "import time\ntime.time()",
        "import time as t\nt.time()",
        "from time import time as now\nnow()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "import datetime as dt\nf = dt.date.today",
    ):
        assert wall_clocks_in(source), source
    for source in ("import time\ntime.monotonic()", "from time import sleep\nsleep(1)", "self.time = 5"):
        assert not wall_clocks_in(source), source


TIMES_OF_OTHERS = {
    "controller/launchers/kubernetes/pod_evidence.py": "whether a runner ended before the rest of its pod: its "
    "deadline by its node's clock; a disruption, of a pod with other containers only, by the control plane's",
    "controller/outcomes/diagnosis.py": "how long a pod waited for its node: both times are the control plane's",
    "controller/pools/resource.py": "which of two ParserPools of a name is the later one: the API server's",
    "dataset_jobs/model/durations.py": "a time that a person has typed",
    "dataset_jobs/model/settlement.py": "how long a container ran: both times are its node's",
    "parser_runner/child.py": "since when a log on a terminal runs: the same machine's",
    "parser_runner/parsers/workbook.py": "a date in a file",
    "services/job_pages.py": "where a page of a list begins: the database has said it",
    "services/operation_acts.py": "the time that a person has given to an operation",
    "services/operation_story.py": "the time that a person has given to an operation, for people",
    "services/operation_filters.py": "the times that a person has given to an operation",
    "services/run_story.py": "the time of the next try, which the database has said",
    "services/run_logs.py": "the time of a line of a run's log, for people",
}
"""Where a time is read that somebody else wrote; whoever adds a place says by which clock it is compared."""


def test_times_that_others_wrote_are_compared_with_their_own_clock_alone() -> None:
    folders = ("controller", "parser_runner", "dataset_jobs", "services", "app", "api", "dashboard", "cli")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    reading = {str(path.relative_to(ROOT)) for path in files if "fromisoformat" in path.read_text()}
    assert reading <= TIMES_OF_OTHERS.keys()


@pytest.mark.parametrize(
    "node_ahead", [timedelta(0), timedelta(minutes=7), timedelta(minutes=-7), timedelta(days=-400)]
)
@pytest.mark.parametrize("committed_for", [None, timedelta(seconds=3)])
def test_how_long_a_run_is_over_does_not_depend_on_its_nodes_clock(
    node_ahead: timedelta, committed_for: timedelta | None
) -> None:
    """It began 30 seconds ago, and its pod ran for 28."""
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    busy_for = timedelta(seconds=30) - (committed_for or timedelta(0))
    figures = RunFigures(1, 1, timedelta(seconds=33), busy_for, committed_for, now)
    began = (now + node_ahead - timedelta(seconds=30)).isoformat()
    finished = (now + node_ahead - timedelta(seconds=2)).isoformat()
    assert figures.over_for(began, finished) == timedelta(seconds=2)
    assert figures.over_for(began, None) == committed_for


@pytest.mark.parametrize(
    ("held_for", "cause"), [(30, Cause.EVICTED), (899, Cause.EVICTED), (900, Cause.TIMED_OUT), (-5, Cause.TIMED_OUT)]
)
def test_a_deadline_that_has_not_come_is_a_node_whose_clock_was_changed(held_for: int, cause: Cause) -> None:
    """The kubelet measures it by the wall clock of its node."""
    evidence = Evidence(143, seen_as="DeadlineExceeded", container_started=True, deadline_seconds=900, node="node-7")
    found = diagnose(evidence, None, held_for=timedelta(seconds=held_for))
    assert found.cause is cause
    assert ("node-7" in found.error) == (cause is Cause.EVICTED)


def test_of_a_run_that_no_runner_took_it_is_not_said() -> None:
    figures = RunFigures(0, 0, timedelta(seconds=9), timedelta(0), None, datetime.now(UTC))
    assert figures.over_for("2025-03-01T10:00:05Z", "2025-03-01T10:00:09Z") is None
