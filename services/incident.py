"""What is wrong as a text for other people: the channel of an incident, a ticket."""

from collections.abc import Iterator
from datetime import timedelta

from dataset_jobs.model.sentences import counted, duration, in_utc
from services.figures import Figures
from services.problems import Severity


def incident_report(figures: Figures, version: str) -> str:
    """The problems, the pools and the versions at one time, as lines.

    Args:
        figures: of the installation.
        version: of this program.
    """
    return "\n".join(_lines(figures, version))


def _lines(figures: Figures, version: str) -> Iterator[str]:
    yield f"affirm-worker at {in_utc(figures.as_of)}"
    found = [one for one in figures.problems if one.severity is not Severity.NOTE]
    if not found:
        yield "Nothing is wrong."
    for one in found:
        yield f"- {one.text}"
        since = f"since {in_utc(one.since)} ({duration(figures.as_of - one.since)}); " if one.since else ""
        jobs = f"{counted(one.jobs, 'job')}; " if one.jobs else ""
        yield f"  {since}{jobs}where: {one.fault.words}; {one.outlook}"
    for pool in figures.status.pools:
        wait = (
            ""
            if pool.oldest_wait_seconds is None
            else f", the oldest for {duration(timedelta(seconds=pool.oldest_wait_seconds))}"
        )
        desired = "-" if pool.desired is None else f"{pool.desired:,}"
        yield (
            f"pool {pool.name}: {pool.queued:,} queued{wait}; {pool.in_use:,} at work, {desired} should be, at most"
            f" {pool.max_running:,}"
        )
    alive = sum(one.is_alive for one in figures.status.controllers)
    states = ", ".join(f"{count:,} {state}" for state, count in figures.states.items())
    yield f"{counted(alive, 'controller')} at work; jobs: {states}"
    yield f"version {version}, schema {figures.schema}"
