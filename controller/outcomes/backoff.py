"""How long to wait before the next try."""

from collections.abc import Sequence
from datetime import timedelta

DEFAULT_WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""After the 1st, 2nd and 3rd failed attempt."""

JITTER = 0.1
"""The random share that is added to a wait, so that jobs that failed together do not come back together."""

GIVE_BACK_FIRST = timedelta(seconds=10)
GIVE_BACK_LONGEST = timedelta(minutes=1)


def retry_wait(attempts: int, waits: Sequence[timedelta], random: float, jitter: float = JITTER) -> timedelta:
    """The wait after a failed attempt.

    Args:
        attempts: how many attempts have failed, with this one; at least 1.
        waits: after the first, the second and so on; the last one also holds for all later attempts.
        random: from 0 to 1.
        jitter: the largest share of the wait that is added.
    """
    return waits[min(attempts, len(waits)) - 1] * (1 + jitter * random)


def give_back_wait(give_backs: int, random: float) -> timedelta:
    """The wait after a claim was given back because the run could not start (a snooze): doubles, up to a minute.

    Args:
        give_backs: how many claims were given back in a row, with this one; at least 1.
        random: from 0 to 1.
    """
    doublings: int = 2 ** min(give_backs - 1, 16)
    wait = min(GIVE_BACK_FIRST * doublings, GIVE_BACK_LONGEST)
    return wait * (1 + JITTER * random)


def probe_wait(probes: int) -> timedelta:
    """The wait before a blocked pool is probed again: doubles, up to a minute.

    Args:
        probes: the number of probes since the pool was blocked.
    """
    return give_back_wait(probes + 1, 0.0)
