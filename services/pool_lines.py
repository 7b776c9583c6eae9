"""Pools as lines of a table, as pages and the terminal have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.sentences import Sentence, sentence
from dataset_jobs.store.views import PoolStatus
from services import obstacle_words as words
from services.actions import Offer, offer


class Rates(Protocol):
    """What came of a pool within the last hour; see `services.figures.Lately`."""

    @property
    def success_ratio(self) -> float | None: ...  # noqa: D102
    @property
    def busy(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class PoolLine:
    """A pool, and why it has no more runs.

    Args:
        held: it starts nothing, whatever waits.
        offers: what can be done about it.
        lately: what came of it within the last hour; None if nothing is known.
    """

    pool: PoolStatus
    why_not_more: Sentence
    held: bool
    offers: Sequence[Offer]
    lately: Rates | None


def pool_lines(pools: Sequence[PoolStatus], past: Mapping[str, Rates]) -> list[PoolLine]:
    """The pools as they are given.

    Args:
        past: what came of each within the last hour, by its name.
    """
    return [pool_line(pool, past.get(pool.name)) for pool in pools]


def pool_line(pool: PoolStatus, lately: Rates | None) -> PoolLine:
    """One of them."""
    held, action = _held(pool), Action.RESUME_POOL if pool.paused else Action.PAUSE_POOL
    # What a ParserPool describes is changed there, so there is no button for it.
    actions = () if pool.described else (action, Action.SET_POOL_MAXIMUM)
    # A probe is no change of it, and while it is paused nothing is tried.
    probe = (Action.PROBE_POOL,) if pool.blocked_since is not None and not pool.paused else ()
    offers = [offer(Hint(one, name=pool.name)) for one in (*probe, *actions)]
    return PoolLine(pool, held or _enough(pool), held is not None, offers, lately)


def _enough(pool: PoolStatus) -> Sentence:
    if not pool.queued and not pool.running:
        return sentence("nothing to do")
    if pool.in_use >= pool.max_running:
        return sentence("all slots are in use")
    return sentence("{}", pool.reason) if pool.reason else Sentence()


def _held(pool: PoolStatus) -> Sentence | None:
    if pool.paused:
        return words.is_paused(pool)
    if pool.refusal is not None:
        return words.is_refused(pool)
    if pool.max_running == 0:
        return words.is_closed(pool)
    if pool.blocked_since is not None:
        return words.is_blocked(pool)
    return None
