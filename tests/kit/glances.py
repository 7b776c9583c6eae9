"""Installations as one look has them, without any database."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.sentences import sentence
from dataset_jobs.store.views import ControllerStatus, JobView, PoolStatus, Status
from services.figures import Lately
from services.glance import Glance, Recent
from services.problems import Fault, Problem, Severity

NOW = datetime(2026, 5, 3, 2, 58, 14, tzinfo=UTC)
LONG = (
    "pool default is blocked since {}: cannot_start (image): ErrImagePull: failed to pull and unpack the image "
    "registry.example/affirm-parser-runner:0.1.0: 401 Unauthorized; one run is tried at {}, and it goes on by itself"
)


def view(kind: type[Any], **known: Any) -> Any:
    """A view whose other numbers are 0, and whose other values are empty."""
    empty = {"int": 0, "bool": False, "str": "", "float": 0.0, "datetime": NOW, "list[str]": [], "list[datetime]": []}
    made = {one.name: empty.get(str(getattr(one.type, "__name__", one.type))) for one in fields(kind)}
    return kind(**{**made, **known})


def pool(name: str = "default", **known: Any) -> PoolStatus:
    """A pool."""
    made: PoolStatus = view(PoolStatus, **{"name": name, "max_running": 8, **known})
    return made


def job(number: int, state: str = "running", **known: Any) -> JobView:
    """A job of a file of the US."""
    said = {
        "id": UUID(int=number << 96), "number": number, "country": "US", "filename": f"yob{number}.txt", "state": state,
        "pool": "default", "size": 1000, "bytes_done": 420, "rows_done": 812_000,
    }  # fmt: skip
    if state in ("completed", "failed", "cancelled"):
        said["finished_at"] = NOW - timedelta(seconds=number)
    made: JobView = view(JobView, **{**said, **known})
    return made


def problem(text: str = LONG, pool_name: str = "default", **known: Any) -> Problem:
    """A pool that is blocked; it may be paused."""
    said = sentence(text, *[NOW - timedelta(hours=2)] * text.count("{}"))
    made = Problem(
        "pool_blocked", Severity.HELD, pool_name, said, NOW - timedelta(hours=2), 312, Fault.SETUP, True,
        (Hint(Action.PAUSE_POOL, name=pool_name),),
    )  # fmt: skip
    return replace(made, **known)


def glance(problems: int = 1, pools: int = 2, running: int = 3, ended: int = 5, **known: Any) -> Glance:
    """An installation with so many of each."""
    queues = [
        pool(
            f"pool-{number}" if number else "default", queued=312, running=running, desired=8,
            oldest_wait_seconds=7080.0,
            decided_by="controller-7c9", reason="as many as wait", runs_working=min(8, running),
        )
        for number in range(pools)
    ]  # fmt: skip
    controllers = [
        view(ControllerStatus, owner="controller-7c9", launcher="process", pools=["default"], silent_seconds=1.0)
    ]
    made = Glance(
        NOW,
        Status(queues, controllers, 1, [], []),
        [problem(pool_name=queues[number % pools].name if pools else "x") for number in range(problems)],
        {"default": Lately("default", 100, 3, 0.81)},
        Recent(
            [job(one) for one in range(1, running + 1)], [job(one, "failed") for one in range(100, 100 + ended)], NOW
        ),
        None,
    )
    return replace(made, **known)
