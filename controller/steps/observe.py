"""Observe: database and launcher side by side, as one value."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from controller.context import Context
from controller.launchers.interface import Phase, Seen
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.controller_views import UnreleasedRun


@dataclass(frozen=True, slots=True)
class Observation:
    """What both sides say, the launcher having been read first.

    Args:
        runs: the runs of this launcher that hold a slot, by key.
        abandoned: children of process controllers that are gone: they have exited with them.
        seen: what the launcher knows of, by key.
        looked_for: the runs that the launcher would have told of; None: all.
    """

    runs: dict[RunKey, UnreleasedRun]
    seen: dict[RunKey, Seen]
    abandoned: list[UnreleasedRun]
    looked_for: Collection[RunKey] | None = None

    def ended(self) -> list[tuple[UnreleasedRun, Seen]]:
        """Runs that hold a slot although their process or pod is over."""
        pairs = ((run, self.seen.get(key)) for key, run in self.runs.items())
        return [(run, seen) for run, seen in pairs if seen is not None and seen.phase is Phase.ENDED]

    def unlaunched(self, owner: str, patience: timedelta) -> list[UnreleasedRun]:
        """Runs without a launch on record: our own, and those whose controller has had time enough.

        Args:
            owner: this controller.
            patience: how long another controller's fresh claims are left to it.
        """
        return [
            run
            for run in self.runs.values()
            if run.launched_at is None
            and run.ended_at is None
            and not self._is_over(run)
            and (run.owner == owner or run.age > patience)
        ]

    def _is_over(self, run: UnreleasedRun) -> bool:
        seen = self.seen.get(run.key)
        return seen is not None and seen.phase is Phase.ENDED

    def missing(self) -> list[UnreleasedRun]:
        """Runs on record as launched that the launcher does not list."""
        return [
            run
            for key, run in self.runs.items()
            if run.launched_at is not None
            and key not in self.seen
            and (self.looked_for is None or key in self.looked_for)
        ]

    def strangers(self) -> list[Seen]:
        """What the launcher lists although no run holds a slot for it."""
        return [seen for key, seen in self.seen.items() if key not in self.runs]


async def observe(context: Context) -> Observation:
    """Reads both sides whole; raises `Unavailable` where either gives no answer.

    The launcher is read first: what it lists and the database does not hold any more is really over there.
    """
    seen = {one.key: one for one in await context.launcher.seen()}
    return _side_by_side(context, await context.store.unreleased_runs(context.launcher.name), seen)


async def observe_changes(context: Context) -> Observation:
    """Reads what has changed since, and what is to be seen to; raises `Unavailable` where that gives no answer."""
    changed = context.launcher.changed()
    holding = await context.store.unreleased_runs(context.launcher.name, changed)
    known = await context.launcher.known(changed | {run.key for run in holding})
    return _side_by_side(context, holding, {one.key: one for one in known}, changed)


def _side_by_side(
    context: Context,
    holding: list[UnreleasedRun],
    seen: dict[RunKey, Seen],
    looked_for: Collection[RunKey] | None = None,
) -> Observation:
    runs = {run.key: run for run in holding if run.launcher == context.launcher.name}
    abandoned = [
        run
        for run in holding
        if run.launcher == "process" and run.owner != context.owner and run.lease_expired and run.key not in seen
    ]
    return Observation(runs, seen, abandoned, looked_for)
