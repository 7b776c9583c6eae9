"""Settling a run by hand."""

from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import Evidence, Settlement
from dataset_jobs.store.controller import ControllerStore


async def settle(
    store: ControllerStore, key: RunKey, evidence: Evidence, settlement: Settlement, runner_uid: str | None = None
) -> bool:
    """Settles a run so, whatever the facts; False if it was settled already."""
    async with store.locked_run(key, runner_uid) as locked:
        if locked is not None:
            await locked.settle(settlement, evidence)
    return locked is not None
