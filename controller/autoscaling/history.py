"""What the next decision on a pool's runs needs of those before it, as steps: few figures, whatever has happened.

A value holds from its step until the next one. A HorizontalPodAutoscaler keeps samples, one every 15 seconds.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

STEPS = 60
"""So many steps there are at the most in a window or period, and one or two around it."""


class Step(NamedTuple):
    """From `at`, in seconds of the database's clock, until the next step, it was `value`."""

    at: float
    value: int


Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What the next decision needs of those before it.

    Args:
        highs: what was due, as far as it can be the most of a window that ends later: falling values.
        lows: what was due, as far as it can be the least of one: rising values.
        desired: what was decided.
    """

    highs: Steps = ()
    lows: Steps = ()
    desired: Steps = ()

    def has_step_at(self, now: float) -> bool:
        """Whether something is other from now on than it was before."""
        return any(steps[-1].at == now for steps in (self.highs, self.lows, self.desired) if steps)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        named = {"highs": self.highs, "lows": self.lows, "desired": self.desired}
        return {name: [[round(at, 3), value] for at, value in steps] for name, steps in named.items() if steps}

    @classmethod
    def from_dict(cls, stored: Any) -> Self:
        """What `as_dict` made. Of anything else nothing is taken: then the decision is made as if it were the first."""
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
    """Adds that it is `value` from now on, and drops what no window that ends now or later begins before.

    Args:
        steps: until now.
        now: seconds.
        before: what it is taken to have been where nothing is known.
        value: from now on.
        window: seconds; 0 keeps nothing.
        gives_way: whether a step of that value makes no difference any more, beside one of `value` that ends later.
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
        # Steps keep their distance, which bounds their number: the one before this may hold for a little longer.
        begin = max(now, kept[-1].at + apart)
    return since([*kept, Step(begin, value)], now - window)


def since(steps: Sequence[Step], begin: float) -> Steps:
    """Those steps that held at `begin` or later."""
    over = sum(step.at <= begin for step in steps[1:])
    return tuple(steps[over:])
