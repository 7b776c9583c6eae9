"""Keys in words: how each is, and whether it can be revoked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dataset_jobs.model.sentences import Sentence, sentence
from services.actions import Offer, Target, Verb
from services.keys import Key, Role


@dataclass(frozen=True, slots=True)
class KeyTold:
    """A key in words.

    Args:
        lets_in: it lets its holder in now.
        state: how it is.
        offers: what can be done to it.
        stays: why it cannot be revoked; empty if it can, or needs not.
    """

    key: Key
    lets_in: bool
    state: Sentence
    offers: Sequence[Offer]
    stays: str


def told(keys: Sequence[Key], now: datetime) -> Sequence[KeyTold]:
    """All keys of an installation in words, in their order.

    Args:
        keys: all of them.
        now: by the database's clock.
    """
    return [*_told(keys, now)]


def _told(keys: Sequence[Key], now: datetime) -> Iterator[KeyTold]:
    admins = [one for one in keys if one.role is Role.ADMIN and _lets_in(one, now)]
    for one in keys:
        lets_in = _lets_in(one, now)
        stays = "it is the last admin's: make another admin's key first" if admins == [one] else ""
        offers = [Offer(Verb.REVOKE, Target.KEY, one.id, "Revoke")] if one.revoked_at is None and not stays else []
        yield KeyTold(one, lets_in, _state(one, now), offers, stays)


def _lets_in(one: Key, now: datetime) -> bool:
    return one.revoked_at is None and (one.expires_at is None or one.expires_at > now)


def _state(one: Key, now: datetime) -> Sentence:
    if one.revoked_at is not None:
        return sentence("revoked at {} by {}", one.revoked_at, one.revoked_by)
    if not _lets_in(one, now):
        return sentence("expired")
    return sentence("in use")
