"""Only the database's clock decides about jobs: what else reads a wall clock is listed here, with the reason."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
WALL_CLOCKS = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.asctime", "time.strftime",
    "time.clock_gettime", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
}  # fmt: skip
ALLOWED = {
    "controller/launchers/kubernetes_events.py": "the time of a Kubernetes event, for people",
    "dataset_jobs/logs.py": "the time of a log line",
    "parser_runner/last_lines.py": "the time of a log line that is kept",
    "parser_runner/parsers/us_ssa.py": "no file is of a year that is to come",
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
