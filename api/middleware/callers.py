"""Who calls: by a key, by a proxy that is believed, from this machine itself, or nobody."""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from api.access import Caller, Via
from api.context import Context
from api.problems import Problem
from dataset_jobs.model.text import one_line
from services.keys import ExpiredKey, KeyRefused, Role

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FORWARDED = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-user",
    "x-real-ip",
    "via",
)

SAID_BY_PROXIES = frozenset({b"x-forwarded-user", b"x-forwarded-groups"})
"""Headers that count only here, and only from proxies that are believed."""

WRONG_KEY_COST = 50
"""What a wrong key takes from the rate of the address that it came from."""

KNOWN_LENGTH = len("aw_12345678")
"""The part of a key that names it."""

MOST_KNOWN = 10_000
"""Keys that are known to have been good once."""


class Callers:
    """Recognises callers.

    Args:
        context: settings, keys, rates, and which keys were good before.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._settings = context.settings

    def without_database(self, scope: Scope, headers: Headers) -> Caller | None:
        """Who calls, if that needs no look at the database; None if there is a key."""
        if "authorization" in headers:
            return None
        return self._by_proxy(scope, headers) or self._local(scope, headers) or self._nobody(scope, headers)

    def by_key(self, scope: Scope, headers: Headers) -> Caller:
        """Who has the key that the request has. Runs in a thread.

        Wrong keys of an address soon cost no look at the database. Keys that were good before are looked at always:
        behind a proxy that is not believed, everybody has one address.

        Raises:
            Problem: it is wrong, or too many wrong ones came from that address.
        """
        scheme, _, text = headers.get("authorization", "").partition(" ")
        address = f"wrong keys from {self.address(scope, headers)}"
        left, known = self._context.rates.take(address, cost=0), self._context.known_keys
        if not left.allowed and text[:KNOWN_LENGTH] not in known:
            raise Problem("too-many-requests", "too many wrong keys came from this address", headers=left.headers)
        try:
            if scheme.casefold() != "bearer":
                raise _bad_key("the header must read  Authorization: Bearer KEY")
            key = self._context.client.keys.check(text.strip())
        except ExpiredKey as error:
            raise Problem("key-expired", str(error), headers={"WWW-Authenticate": "Bearer"}) from None
        except KeyRefused as error:
            self._context.rates.take(address, cost=WRONG_KEY_COST)
            raise _bad_key(str(error)) from None
        if len(known) < MOST_KNOWN:
            known.add(text[:KNOWN_LENGTH])
        return Caller(key.name, key.role, Via.KEY, f"key {key.id}", key.id, key.expires_at)

    def address(self, scope: Scope, headers: Headers) -> str:
        """The client's address: the last one before the proxies that are believed."""
        peer = str((scope.get("client") or ("unknown",))[0])
        for one in reversed(headers.get("x-forwarded-for", "").split(",")):
            if not self._is_trusted(peer) or not one.strip():
                break
            peer = one.strip()
        return one_line(peer)[:60]

    def _by_proxy(self, scope: Scope, headers: Headers) -> Caller | None:
        user = headers.get("x-forwarded-user", "").strip()
        if not user or not self._is_trusted(str((scope.get("client") or ("",))[0])):
            return None
        groups = {one.strip() for one in headers.get("x-forwarded-groups", "").split(",")} | {"*"}
        roles = [Role(role) for group, role in self._settings.api_proxy_roles if group in groups]
        name = one_line(user)[:100]
        if not roles:
            raise Problem("not-allowed", f"none of the groups of {name} has a role: API_PROXY_ROLES gives them")
        return Caller(name, max(roles, key=[*Role].index), Via.PROXY, f"user {name}")

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._settings.api_trusted_proxies)

    def _local(self, scope: Scope, headers: Headers) -> Caller | None:
        """Somebody on this machine, if that is what API_LOCAL_ROLE allows and nothing says otherwise."""
        role = self._settings.api_local_role
        peer = str((scope.get("client") or ("",))[0])
        if role is None or not self._context.local or not is_loopback(peer):
            return None
        if any(name in headers for name in _FORWARDED) or not _names_this_machine(headers.get("host", "")):
            return None
        return Caller("local", Role(role), Via.LOCAL, "local")

    def _nobody(self, scope: Scope, headers: Headers) -> Caller:
        return Caller("nobody", None, Via.NOBODY, f"address {self.address(scope, headers)}")


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _names_this_machine(host: str) -> bool:
    """Whether Host is this machine by a name that no other site can have: one may lead here by its DNS."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.casefold() in _LOCAL_NAMES


def _bad_key(why: str) -> Problem:
    return Problem("bad-key", why, headers={"WWW-Authenticate": "Bearer"})
