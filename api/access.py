"""Who may do what: the access that each route declares, and callers with their roles."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataset_jobs.model.actor import Actor, Surface
from services.keys import Role


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    NAMES = "names"
    """Everybody if API_PUBLIC_NAMES is set, viewers otherwise."""
    VIEWER = "viewer"
    UPLOADER = "uploader"
    ADMIN = "admin"

    def role(self, *, public_names: bool) -> Role | None:
        """The least role that may call it; None if nobody has to say who they are."""
        if self is Access.PUBLIC or (self is Access.NAMES and public_names):
            return None
        return Role.VIEWER if self is Access.NAMES else Role(self.value)


class Via(StrEnum):
    """How a caller was recognised."""

    KEY = "key"
    SESSION = "session"
    """A browser whose user has typed a key."""
    PROXY = "proxy"
    LOCAL = "local"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Args:
        name: the key's name, or the proxy's user; for the audit.
        role: None for somebody who has not said who they are.
        via: how they were recognised.
        rate_name: what the rate is counted by: a key, a user or an address.
        key_id: the key's, if they have one.
        expires_at: the key's end, if it has one.
    """

    name: str
    role: Role | None
    via: Via
    rate_name: str
    key_id: str | None = None
    expires_at: datetime | None = None

    def may(self, role: Role | None) -> bool:
        """Whether they may do what `role` may."""
        return role is None or (self.role is not None and self.role.may(role))

    def actor(self, request_id: str, surface: Surface = "api") -> Actor:
        """Who the audit names."""
        return Actor(self.name, surface, request_id, self.key_id)
