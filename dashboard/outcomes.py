"""What a page says was just done: words of an address, each of which stands for a sentence of ours.

So a link from elsewhere can make a page say nothing but these sentences.
"""

import re
from collections.abc import Mapping

from dashboard.acts import ACTS, name_of
from services.operation_acts import Doing
from services.several import CHOSEN, MOST, Refusal, Several

STARTED = "started"
NOTHING_CHOSEN = "nothing-chosen"

_SAID: Mapping[str, str] = {
    **{name_of(*what): act.outcome for what, act in ACTS.items()},
    STARTED: "The operation goes on by itself, whether you look on or not.",
    "schedule-added": "The schedule is added.",
    "logged-out-others": "The other logins with your key are ended.",
    "schedule-changed": "The schedule is changed.",
    NOTHING_CHOSEN: "No job was selected.",
}

_SEVERAL = re.compile(r"(?P<doing>[a-z]+)-(?P<done>\d{1,3})(?P<refused>(-[a-z]+-\d{1,3}){0,9})")
"""Such as `retry-11-running-1`."""


def word_of(several: Several) -> str:
    """What has become of several jobs, as a word of an address."""
    return "-".join([several.doing, str(several.done), *(f"{why}-{count}" for why, count in several.refused.items())])


def outcome_of(word: str) -> str | None:
    """The sentence of a word; None if it is none of ours."""
    if word in _SAID:
        return _SAID[word]
    found = _SEVERAL.fullmatch(word)
    if found is None or found["doing"] not in CHOSEN:
        return None
    parts = found["refused"].split("-")[1:]
    reasons, counts = parts[::2], [int(one) for one in parts[1::2]]
    numbers = [int(found["done"]), *counts]
    if not set(reasons) <= set(Refusal) or sum(numbers) > MOST or 0 in counts:
        return None
    refused = {Refusal(why): count for why, count in zip(reasons, counts, strict=True)}
    return str(Several(Doing(found["doing"]), numbers[0], refused))
