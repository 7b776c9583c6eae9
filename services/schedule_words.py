"""A schedule in words: when it is due, how it is, what came of its last look, and what one can do."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.sentences import Sentence, counted, sentence
from dataset_jobs.store.views import ScheduleView
from services.actions import Offer, Target, Verb
from services.cron import in_words, next_tick, zone_of
from services.sources.addresses import shown_address

TIMES = 3
"""The next times that are said."""


@dataclass(frozen=True, slots=True)
class Due:
    """A time at which a schedule is due, also by the clock of its time zone."""

    at: datetime
    local: str


@dataclass(frozen=True, slots=True)
class ScheduleTold:
    """A schedule in words.

    Args:
        place: its folder or address, without secrets.
        means: its expression in words; empty if nobody can read it.
        due: its next times; none while it is paused.
        state: in a word.
        result: what came of the last look.
        hints: what is said of its files, in words.
        offers: what can be done to it.
    """

    schedule: ScheduleView
    place: str
    means: str
    due: Sequence[Due]
    state: str
    result: Sentence
    hints: Sequence[str]
    offers: Sequence[Offer]


def told(one: ScheduleView) -> ScheduleTold:
    """A schedule in words."""
    return ScheduleTold(
        one, place_of(one), _means(one.cron), () if one.paused else [*_due(one)], state_of(one), _result(one),
        FileHints.of_row(asdict(one)).in_words(),
        [*_offers(one)],
    )  # fmt: skip


def place_of(one: ScheduleView) -> str:
    """Where it looks: the folder, or the address without its secrets."""
    return shown_address(one.url) if one.url else one.location or ""


def state_of(one: ScheduleView) -> str:
    """How it is, in a word."""
    return "paused" if one.paused else "at work" if one.looking else "failing" if one.failures else "open"


def _means(cron: str) -> str:
    try:
        return in_words(cron)
    except ValueError:  # of a row that somebody changed by hand
        return ""


def _due(one: ScheduleView) -> Iterator[Due]:
    """The first one is the database's: it may be over, and not done yet."""
    at = one.next_at
    try:
        zone = zone_of(one.timezone)
        for _ in range(TIMES):
            yield Due(at, f"{at.astimezone(zone):%a %Y-%m-%d %H:%M} {one.timezone}")
            at = next_tick(one.cron, one.timezone, at)
    except (ValueError, OverflowError):
        return


def _result(one: ScheduleView) -> Sentence:
    before = _last_look(one)
    if one.looking:
        return sentence("somebody is looking just now; {}", before)
    if not one.failures:
        return before
    times = "once" if one.failures == 1 else f"{one.failures} times"
    earlier = sentence("; before that, {}", before) if one.looked_at is not None else Sentence()
    again = sentence("; it is tried again at {}", one.again_at) if one.again_at is not None else Sentence()
    return sentence("failed {}: {}{}{}", times, one.error, again, earlier)


def _last_look(one: ScheduleView) -> Sentence:
    if one.looked_at is None:
        return sentence("nobody has looked yet")
    found = sentence("at {}: {}, {} new", one.looked_at, counted(one.files or 0, "file"), one.submitted or 0)
    noted = sentence("{}; {}", found, one.note) if one.note else found
    return sentence("{}; not all could be submitted: {}", noted, one.error) if one.error and not one.failures else noted


def _offers(one: ScheduleView) -> Iterator[Offer]:
    if not one.looking:
        yield Offer(Verb.RUN_NOW, Target.SCHEDULE, one.name, "Run now")
    if one.paused:
        yield Offer(Verb.RESUME, Target.SCHEDULE, one.name, "Resume")
    else:
        yield Offer(Verb.PAUSE, Target.SCHEDULE, one.name, "Pause")
    yield Offer(Verb.REMOVE, Target.SCHEDULE, one.name, "Remove")
