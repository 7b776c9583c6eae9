"""A pool on virtual time: its queue and runs are figures, and the real function decides."""

import heapq
import json
from dataclasses import dataclass, field

from controller.autoscaling.decide import Decision, Snapshot, decide
from controller.autoscaling.history import History
from controller.pools.spec import PoolSpec

NOON = 1_900_000_800.0
"""When virtual time begins, in seconds since 1970."""


@dataclass(slots=True)
class VirtualPool:
    """What a pool's row has, and what its controller sees.

    Args:
        spec: how the pool is run; may be changed on the way.
        maximum: slots.
        run_seconds: how long a run takes.
    """

    spec: PoolSpec
    maximum: int = 100
    run_seconds: float = 60.0
    paused: bool = False
    blocked: bool = False
    waiting: int = 0
    desired: int | None = None
    history: str = "{}"
    _ends: list[float] = field(default_factory=list)

    @property
    def running(self) -> int:
        """Runs that hold a slot."""
        return len(self._ends)

    def decide(self, at: float) -> Decision:
        """Decides, and keeps of the history what Postgres would."""
        seen = Snapshot(self.waiting, self.running, 0, self.maximum, self.paused, self.blocked)
        stored = History.from_dict(json.loads(self.history))
        decision = decide(NOON + at, seen, self.spec, self.desired, stored)
        self.desired, self.history = decision.desired, json.dumps(decision.history.as_dict())
        return decision

    def tick(self, at: float, arrived: int = 0) -> Decision:
        """Runs end, jobs arrive, and as many are claimed as are desired."""
        self.waiting += arrived
        while self._ends and self._ends[0] <= at:
            heapq.heappop(self._ends)
        decision = self.decide(at)
        free = 0 if self.paused else min(decision.desired, self.maximum) - self.running
        for _ in range(min(self.waiting, max(0, free))):
            heapq.heappush(self._ends, at + self.run_seconds)
            self.waiting -= 1
        return decision
