"""Observe: database and launcher side by side, as one value."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from controller.context import Context
from controller.launchers.interface import ObservedRun, Phase
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.controller_views import UnreleasedRun


@dataclass(frozen=True, slots=True)
class Observation:
    """Both sides; the launcher was read first.

    Args:
        runs: the runs of this launcher that hold a slot, by key.
        seen: the runs that the launcher knows, by key.
        abandoned: children of controllers that are gone; they exited with them.
        looked_for: the runs that the launcher was asked for; None: all.
    """

    runs: dict[RunKey, UnreleasedRun]
    seen: dict[RunKey, ObservedRun]
    abandoned: list[UnreleasedRun]
    looked_for: Collection[RunKey] | None = None

    def ended(self) -> list[tuple[UnreleasedRun, ObservedRun]]:
        """Runs that hold a slot although their runner is over."""
        pairs = ((run, self.seen.get(key)) for key, run in self.runs.items())
        return [(run, seen) for run, seen in pairs if seen is not None and seen.phase is Phase.ENDED]

    def unlaunched(self, owner: str, patience: timedelta) -> list[UnreleasedRun]:
        """Runs without a recorded launch: our own, and those that their controller has left for too long.

        Args:
            owner: this controller.
            patience: how long to leave another controller's claims to it.
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
        """Runs with a recorded launch that the launcher does not list."""
        return [
            run
            for key, run in self.runs.items()
            if run.launched_at is not None
            and key not in self.seen
            and (self.looked_for is None or key in self.looked_for)
        ]

    def orphans(self) -> list[ObservedRun]:
        """What the launcher lists although no run holds a slot for it."""
        return [seen for key, seen in self.seen.items() if key not in self.runs]


async def observe(context: Context) -> Observation:
    """Reads all of both sides; raises `Unavailable` if either does not answer.

    It reads the launcher first: what that lists and the database no longer holds is really over.
    """
    seen = {one.key: one for one in await context.launcher.list_all()}
    return _side_by_side(context, await context.store.unreleased_runs(context.launcher.name), seen)


async def observe_changes(context: Context) -> Observation:
    """Reads what has changed, and what needs attention; raises `Unavailable` if either side does not answer."""
    changed = context.launcher.take_changed()
    holding = await context.store.unreleased_runs(context.launcher.name, changed)
    known = await context.launcher.get_cached(changed | {run.key for run in holding})
    return _side_by_side(context, holding, {one.key: one for one in known}, changed)


def _side_by_side(
    context: Context,
    holding: list[UnreleasedRun],
    seen: dict[RunKey, ObservedRun],
    looked_for: Collection[RunKey] | None = None,
) -> Observation:
    runs = {run.key: run for run in holding if run.launcher == context.launcher.name}
    abandoned = [run for run in holding if run.key not in seen and _is_abandoned(context, run)]
    return Observation(runs, seen, abandoned, looked_for)


def _is_abandoned(context: Context, run: UnreleasedRun) -> bool:
    """Whether another controller that is gone had the run as its child.

    Of another launcher's runs the store returns only children, and only those whose lease has expired.
    """
    adopted = run.launcher == context.launcher.name and context.launcher.outlives_controller
    return not adopted and run.owner != context.owner and run.lease_expired
