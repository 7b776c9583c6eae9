"""What stands around every page: where one can go, who one is, how the installation is, and what has just been done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser

from api.access import Caller
from dashboard import outcomes
from services.figures import Figures
from services.problems import Problem, Severity


class Place(NamedTuple):
    """A page that the navigation leads to."""

    path: str
    label: str
    key: str
    """After `g`, on the keyboard."""


PLACES = (Place("/", "Overview", "o"), Place("/jobs", "Jobs", "j"), Place("/failures", "Failures", "f"))


class Health(StrEnum):
    """How the installation is, as a word; each has a mark and a colour besides."""

    WELL = "all is well"
    SLOW = "slow"
    TROUBLE = "trouble"
    STOPPED = "stopped"
    UNKNOWN = "not known"


class Theme(StrEnum):
    """How light the pages are."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


THEME_COOKIE = "aw-theme"
"""The script sets it; so the first line of a page is right already."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the templates know beside the values of their page.

    Args:
        here: the path of the request, with its query.
        caller: who looks on; None on the page of the login.
        figures: of the installation; None if they are not known, or not for everybody.
        outcome: what has just been done, in words.
        fragment: only what changes is wanted, by the script of the page that is there already.
        read_only: nothing may be changed.
    """

    here: str
    caller: Caller | None = None
    figures: Figures | None = None
    theme: Theme = Theme.SYSTEM
    outcome: str | None = None
    fragment: bool = False
    read_only: bool = False
    places: Sequence[Place] = field(default=PLACES)

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong, without what somebody may only want to know."""
        if self.figures is None:
            return ()
        return [one for one in self.figures.problems if one.severity is not Severity.NOTE]

    @property
    def health(self) -> Health:
        """In a word."""
        if self.figures is None:
            return Health.UNKNOWN
        worst = min((one.severity for one in self.figures.problems), default=Severity.NOTE)
        return _HEALTH[worst]

    def is_at(self, place: Place) -> bool:
        """Whether this page is there, or below."""
        path = self.here.partition("?")[0]
        return path == place.path or (place.path != "/" and path.startswith(f"{place.path}/"))


_HEALTH = {
    Severity.STOPPED: Health.STOPPED,
    Severity.HELD: Health.TROUBLE,
    Severity.FAILING: Health.TROUBLE,
    Severity.SLOW: Health.SLOW,
    Severity.NOTE: Health.WELL,
}


def here_of(request: Request) -> str:
    """The path of a request with its query, without what it says of the page itself."""
    kept = [part for part in request.url.query.split("&") if part and not part.startswith("did=")]
    return f"{request.url.path}?{'&'.join(kept)}" if kept else request.url.path


def theme_of(headers: Headers) -> Theme:
    """The theme that the viewer has chosen."""
    given = cookie_parser(headers.get("cookie", "")).get(THEME_COOKIE, "")
    return Theme(given) if given in set(Theme) else Theme.SYSTEM


def outcome_of(request: Request) -> str | None:
    """What has just been done. Only words of our own: a link from elsewhere cannot put any here."""
    return outcomes.outcome_of(request.query_params.get("did", ""))
