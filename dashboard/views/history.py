"""A pool's past as charts: each with a sentence that says the same, and one table of all the numbers beneath them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from dataset_jobs.model.sentences import Sentence, duration, sentence
from services.figures import PoolHistory


class Window(NamedTuple):
    """How far back charts go, in steps of which length."""

    length: timedelta
    step: str


WINDOWS = {
    "3h": Window(timedelta(hours=3), "1m"),
    "24h": Window(timedelta(days=1), "5m"),
    "7d": Window(timedelta(days=7), "1h"),
    "30d": Window(timedelta(days=30), "1h"),
}


class Series(NamedTuple):
    """A line of a chart, and its column in the table."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same time.

    Args:
        sentence: what they show, for whoever does not see them.
        first: the column of its first line in the table.
    """

    title: str
    sentence: Sentence
    first: int
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Charts:
    """Charts, and the times of their table."""

    times: Sequence[datetime]
    charts: Sequence[Chart]

    @property
    def columns(self) -> Sequence[Series]:
        """All lines, in the order of the table."""
        return [one for chart in self.charts for one in chart.series]


def charts_of(past: PoolHistory) -> Charts:
    """What is drawn of a pool's past."""
    waits = [None if one is None else round(one) for one in past.oldest_wait]
    drawn = [
        ("Queue", _peak(past.t, past.depth, "queued"), [Series("queued", past.depth)]),
        ("Oldest wait", _longest(past.t, waits), [Series("oldest wait, s", waits)]),
        (
            "Runs",
            _peak(past.t, past.running, "at work"),
            [Series("at work", past.running), Series("should be", past.desired), Series("at most", past.maximum)],
        ),
        ("Ended", _ended(past), [Series("finished", past.finished), Series("of these failed", past.failed)]),
    ]
    charts, column = list[Chart](), 1
    for title, text, series in drawn:
        charts.append(Chart(title, text, column, series))
        column += len(series)
    return Charts(past.t, charts)


def _peak(times: Sequence[datetime], values: Sequence[float | None], word: str) -> Sentence:
    known = [(value, at) for at, value in zip(times, values, strict=True) if value is not None]
    if not known:
        return sentence("nothing is known of that time")
    most, at = max(known, key=lambda one: one[0])
    if most == 0:
        return sentence(f"none was {word}")
    return sentence(f"at most {most:,.0f} {word}, at {{}}; {known[-1][0]:,.0f} at last", at)


def _longest(times: Sequence[datetime], waits: Sequence[int | None]) -> Sentence:
    known = [(value, at) for at, value in zip(times, waits, strict=True) if value]
    if not known:
        return sentence("no job has waited")
    most, at = max(known)
    return sentence("at most {}, at {}", duration(timedelta(seconds=most)), at)


def _ended(past: PoolHistory) -> Sentence:
    finished, failed = sum(filter(None, past.finished)), sum(filter(None, past.failed))
    return sentence(f"{finished:,} jobs ended, {failed:,} of them failed")
