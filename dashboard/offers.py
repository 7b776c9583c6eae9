"""Offers of services as buttons and links: those that the viewer may use, and no others."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard import paths
from dashboard.acts import ACTS
from dataset_jobs.model.hints import Hint
from services.actions import Offer, Target, Verb, offer
from services.keys import Role
from services.operation_acts import Doing

if TYPE_CHECKING:
    from dashboard.frame import Frame

_ASKS: Mapping[str, str] = {"priority": "Priority", "max_running": "Runs at most"}
"""What a form asks for, with its label. An offer that asks for something else has no button."""

_DANGEROUS = (Verb.CANCEL, Verb.DELETE, Verb.REMOVE, Verb.REVOKE)


@dataclass(frozen=True, slots=True)
class Button:
    """A form with one button.

    Args:
        fields: what is sent along.
        asks: what a person has to say, by its name, with its label.
        dangerous: it looks so.
    """

    label: str
    fields: Mapping[str, str]
    asks: Mapping[str, str]
    dangerous: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Command:
    """What only whoever runs the installation can do, where it runs."""

    label: str
    line: str


Shown = Button | Link | Command


def shown(offers: Iterable[Offer | Hint], frame: "Frame", *, own: bool = False) -> list[Shown]:
    """What a page shows of offers.

    Args:
        offers: as services make them.
        frame: of the page; who looks on decides.
        own: what they are about was uploaded by the viewer.
    """
    made = (_shown(offer(one) if isinstance(one, Hint) else one, frame, own) for one in offers)
    return list({(type(one), one.label, str(one)): one for one in made if one is not None}.values())


def _shown(one: Offer, frame: "Frame", own: bool) -> Shown | None:
    what = one.action, one.target
    if what in _PAGES:
        href = _PAGES[what](one.id or "")
        return None if href == frame.here else Link(one.label, href)
    if what in _QUESTIONS and one.id and not frame.read_only and frame.caller is not None:
        return Link(one.label, _QUESTIONS[what](one.id)) if frame.caller.may(Role.ADMIN) else None
    if what in _COMMANDS:
        return Command(one.label, _COMMANDS[what])
    act = ACTS.get(what)
    if act is None or frame.read_only or frame.caller is None or not set(one.asks) <= _ASKS.keys():
        return None
    if not frame.caller.may(act.role) or (act.own and not own and not frame.caller.may(Role.ADMIN)):
        return None
    fields = {"action": str(one.action), "target": str(one.target), "id": one.id or "", **one.parameters}
    asks = {name: _ASKS[name] for name in one.asks}
    return Button(one.label, fields, asks, one.action in _DANGEROUS)


_COMMANDS: Mapping[tuple[Verb, Target], str] = {
    (Verb.RUN_CONTROLLER, Target.INSTALLATION): "affirm-worker run",
    (Verb.MIGRATE, Target.INSTALLATION): "affirm-worker migrate",
}

_QUESTIONS: Mapping[tuple[Verb, Target], Callable[[str], str]] = {
    (Verb.RETRY, Target.FAILED_JOBS): lambda cause: paths.new_operation(Doing.RETRY, f"state:failed cause:{cause}"),
}
"""Where admins are asked whether an operation is to begin."""

_PAGES: Mapping[tuple[Verb, Target], Callable[[str], str]] = {
    (Verb.SHOW, Target.JOB): paths.job,
    (Verb.SHOW, Target.DATASET): paths.dataset,
    (Verb.SHOW, Target.INSTALLATION): lambda _: paths.HOME,
    (Verb.LIST, Target.FAILED_JOBS): lambda _: paths.FAILURES,
    (Verb.LIST, Target.POOLS): lambda _: paths.HOME,
    (Verb.LIST, Target.SCHEDULES): lambda _: paths.SCHEDULES,
}
"""Where offers lead that only look. A page that comes to be gets its line here."""
