"""What every benchmark ends with: a table for people and a file for programs."""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run.

    Args:
        name: of the measured quantity.
        value, unit: the measurement.
        against: a figure of the same run to compare with; empty if there is none.
        ratio: value over that, or that over value if less is better; None without `against`.
        goal: the target, in words; empty if there is none.
        met: whether the goal is met; None if there is none.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None


def report(benchmark: str, figures: list[Figure]) -> None:
    """Prints the figures and writes `benchmarks/results/BENCHMARK.json`."""
    table = Table(title=benchmark)
    for heading in ("what", "value", "unit", "against", "ratio", "goal", "met"):
        table.add_column(heading, justify="right" if heading in ("value", "ratio") else "left")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        met = {None: "", True: "yes", False: "no"}[figure.met]
        table.add_row(figure.name, f"{figure.value:,.4g}", figure.unit, figure.against, ratio, figure.goal, met)
    Console(width=150).print(table)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{benchmark}.json"
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")


def percentile(seconds: list[float], percent: int) -> float:
    """In milliseconds."""
    return statistics.quantiles(seconds, n=100)[percent - 1] * 1000
