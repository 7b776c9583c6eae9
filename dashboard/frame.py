"""What stands around every page: where one can go, who one is, how the installation is, and what has just been done."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser

from api.access import Caller
from dashboard import outcomes
from services.figures import Figures
from services.keys import Role
from services.problems import Health, Problem, Severity, health_of


class Place(NamedTuple):
    """A page that the navigation leads to."""

    path: str
    label: str
    key: str
    """After `g`, on the keyboard."""
    role: Role = Role.VIEWER
    """The least that may go there."""
    changes: bool = False
    """It is of no use where nothing may be changed."""
    others: tuple[str, ...] = ()
    """Further pages that belong there, with all below them."""


PLACES = (
    Place("/", "Overview", "o"),
    Place("/jobs", "Jobs", "j", others=("/operations", "/selection")),
    Place("/failures", "Failures", "f"),
    Place("/datasets", "Datasets", "d"),
    Place("/upload", "Upload", "u", Role.UPLOADER, changes=True, others=("/uploads",)),
    Place("/schedules", "Schedules", "s", others=("/new-schedule",)),
    Place("/settings", "Settings", "e", others=("/keys", "/audit", "/doctor")),
)


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

    @property
    def places(self) -> Sequence[Place]:
        """Where the viewer may go."""
        return [one for one in PLACES if self.may(one.role) and not (one.changes and self.read_only)]

    def may(self, role: Role) -> bool:
        """Whether the viewer may do what a role may."""
        return self.caller is not None and self.caller.may(role)

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong, without what somebody may only want to know."""
        if self.figures is None:
            return ()
        return [one for one in self.figures.problems if one.severity is not Severity.NOTE]

    @property
    def health(self) -> Health:
        """In a word."""
        return Health.UNKNOWN if self.figures is None else health_of(self.figures.problems)

    def may_change(self, role: str) -> bool:
        """Whether the viewer sees what only this role and those above it may change."""
        return not self.read_only and self.caller is not None and self.caller.may(Role(role))

    def is_at(self, place: Place) -> bool:
        """Whether this page is there, or below."""
        path = self.here.partition("?")[0]
        return any(path == one or (one != "/" and path.startswith(f"{one}/")) for one in (place.path, *place.others))


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
