"""What the next decision needs to know of earlier ones, as steps. Their number is bounded, whatever happens.

A value holds from its step until the next one. A HorizontalPodAutoscaler keeps samples instead, one every 15 seconds.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

STEPS = 60
"""The most steps within a window or period; one or two more lie around it."""


class Step(NamedTuple):
    """From `at`, in seconds of the database's clock, `value` held until the next step."""

    at: float
    value: int


Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What the next decision needs to know of earlier ones.

    Args:
        highs: due figures that may yet be the maximum of a window; falling values (a monotonic queue).
        lows: due figures that may yet be the minimum of a window; rising values.
        desired: the decisions.
    """

    highs: Steps = ()
    lows: Steps = ()
    desired: Steps = ()

    def has_step_at(self, now: float) -> bool:
        """Whether anything changes at `now`."""
        return any(steps[-1].at == now for steps in (self.highs, self.lows, self.desired) if steps)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        named = {"highs": self.highs, "lows": self.lows, "desired": self.desired}
        return {name: [[round(at, 3), value] for at, value in steps] for name, steps in named.items() if steps}

    @classmethod
    def from_dict(cls, stored: Any) -> Self:
        """Reads what `as_dict` wrote. Anything else counts as no history: the next decision is like a first one."""
        try:
            return cls(*(tuple(_step(*step) for step in stored.get(field.name, ())) for field in fields(cls)))
        except (TypeError, ValueError, AttributeError, OverflowError):
            return cls()


def _step(at: float, value: int) -> Step:
    at = float(at)
    if not math.isfinite(at):
        raise ValueError("a step without a time")
    return Step(at, int(value))


def recorded(steps: Steps, now: float, before: int, value: int, window: int, gives_way: Callable[[int], bool]) -> Steps:
    """Adds a step to `value` at `now`, and drops those that no window from now on can contain.

    Args:
        steps: until now.
        now: seconds.
        before: the value before the first known step.
        value: from now on.
        window: seconds; 0 keeps nothing.
        gives_way: True if an older step with this value is dominated by the new one and can be dropped (monotonic
            queue).
    """
    if not window:
        return ()
    apart = max(1.0, window / STEPS)
    # A clock may go backwards when another server takes over.
    kept = [Step(min(at, now + apart), old) for at, old in steps] or [Step(now - apart, before)]
    begin: float | None = None
    while kept and (gives_way(kept[-1].value) or (len(kept) > 1 and kept[-1].at > now)):
        begin = kept.pop().at
    if begin is None:
        # Steps keep their distance, which bounds their number; the previous step may hold a little longer for that.
        begin = max(now, kept[-1].at + apart)
    return since([*kept, Step(begin, value)], now - window)


def since(steps: Sequence[Step], begin: float) -> Steps:
    """The steps that held at `begin` or later."""
    over = sum(step.at <= begin for step in steps[1:])
    return tuple(steps[over:])
