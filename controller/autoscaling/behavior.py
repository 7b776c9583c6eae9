"""How fast a pool's desired parallelism may follow its queue: the `behavior` of the HorizontalPodAutoscaler v2."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """One limit of a change.

    Args:
        type: whether `value` counts runners (`Pods`) or is a share of those desired at the period's begin (`Percent`).
        value: how much may be added, or taken away, within the period; at least 1.
        period_seconds: from 1 to 1800.
    """

    type: Literal["Pods", "Percent"]
    value: int
    period_seconds: int


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """For one direction.

    Args:
        stabilization_window_seconds: of the due figures within it, the one that changes least counts; from 0 to 3600.
        policies: empty: any change at once.
        select_policy: which of several policies counts: the one that allows most (`Max`) or least (`Min`). `Disabled`:
            no change.
    """

    stabilization_window_seconds: int = 0
    policies: tuple[ScalingPolicy, ...] = ()
    select_policy: Literal["Max", "Min", "Disabled"] = "Max"


@dataclass(frozen=True, slots=True)
class Behavior:
    """Both directions. Scaling down is stabilised by default: a pause between two uploads need not cost a node."""

    scale_up: ScalingRules = ScalingRules()
    scale_down: ScalingRules = ScalingRules(stabilization_window_seconds=300)
