"""Observe: database and launcher side by side, as one value."""

from dataclasses import dataclass

from controller.launchers import Phase, Seen
from controller.pipeline.context import Context
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.for_controller import UnreleasedRun


@dataclass(frozen=True, slots=True)
class Observation:
    """What both sides say, the launcher having been read first.

    Args:
        runs: every run that holds a slot, by key.
        seen: everything the launcher knows of, by key.
    """

    runs: dict[RunKey, UnreleasedRun]
    seen: dict[RunKey, Seen]

    def ended(self) -> list[tuple[UnreleasedRun, Seen]]:
        """Runs that hold a slot although their process or pod is over."""
        pairs = ((run, self.seen.get(key)) for key, run in self.runs.items())
        return [(run, seen) for run, seen in pairs if seen is not None and seen.phase is Phase.ENDED]

    def unlaunched(self, owner: str, patience_seconds: float) -> list[UnreleasedRun]:
        """Runs without a launch on record: our own, and those whose controller has had time enough.

        Args:
            owner: this controller.
            patience_seconds: how long another controller's fresh claims are left to it.
        """
        return [
            run
            for run in self.runs.values()
            if run.launched_at is None
            and run.ended_at is None
            and (run.owner == owner or run.age_seconds > patience_seconds)
        ]

    def missing(self) -> list[UnreleasedRun]:
        """Runs on record as launched that the launcher does not list."""
        return [run for key, run in self.runs.items() if run.launched_at is not None and key not in self.seen]

    def strangers(self) -> list[Seen]:
        """What the launcher lists although no run of this pool holds a slot for it."""
        return [seen for key, seen in self.seen.items() if key not in self.runs]


async def observe(context: Context) -> Observation:
    """Reads both sides; raises `Unavailable` where either gives no answer.

    The launcher is read first: what it lists and the database does not hold any more is really over there.
    """
    seen = {one.key: one for one in await context.launcher.seen()}
    runs = {run.key: run for run in await context.store.unreleased_runs(context.pool, context.launcher.name)}
    return Observation(runs, seen)
