"""Who calls: by a key, by a browser's session, by a proxy that is believed, from this machine itself, or nobody."""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from api.access import Caller, Via
from api.context import Context
from api.cookies import names_this_machine, no_cookie, token_of
from api.exchange import exchange_of
from api.problems import Problem
from dataset_jobs.model.text import one_line
from services.keys import ExpiredKey, Key, KeyRefused, Role
from services.web_sessions import Over

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
        """Who calls, if that needs no look at the database; None if there is a key or a session."""
        if "authorization" in headers or token_of(headers):
            return None
        return self._otherwise(scope, headers)

    def by_database(self, scope: Scope, headers: Headers) -> Caller:
        """Who has the key or the session that the request has; a key counts first. Runs in a thread.

        Raises:
            Problem: as `by_key`. A session that is over counts as none, and its cookie is taken back.
        """
        if "authorization" in headers:
            return self.by_key(scope, headers)
        return self._by_session(scope, headers) or self._otherwise(scope, headers)

    def still_there(self, scope: Scope, headers: Headers) -> None:
        """Raises a Problem if the key or the session of the request has ended meanwhile."""
        if "authorization" in headers:
            self.by_key(scope, headers)
        elif self._by_session(scope, headers) is None:
            raise Problem("bad-key", "the login has ended meanwhile: log in again")

    def by_key(self, scope: Scope, headers: Headers) -> Caller:
        """Who has the key that the request has. Runs in a thread.

        Wrong keys of an address soon cost no look at the database. Keys that were good before are looked at always:
        behind a proxy that is not believed, everybody has one address.

        Raises:
            Problem: it is wrong, or too many wrong ones came from that address.
        """
        scheme, _, text = headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            raise _bad_key("the header must read  Authorization: Bearer KEY")
        return _holder(self.checked(scope, headers, text.strip()), Via.KEY)

    def checked(self, scope: Scope, headers: Headers, text: str) -> Key:
        """The key that somebody has sent, in the header or by the page of the login; raises as `by_key`."""
        self._check_patience(scope, headers, text)
        try:
            key = self._context.client.keys.check(text)
        except ExpiredKey as error:
            raise Problem("key-expired", str(error), headers={"WWW-Authenticate": "Bearer"}) from None
        except KeyRefused as error:
            self._context.rates.take(self._wrong_keys(scope, headers), cost=WRONG_KEY_COST)
            raise _bad_key(str(error)) from None
        self._remember(text)
        return key

    def _by_session(self, scope: Scope, headers: Headers) -> Caller | None:
        token = token_of(headers)
        if not token:
            return None
        self._check_patience(scope, headers, token)
        key = self._context.sessions.key(token)
        self._context.lately.note(token, None if isinstance(key, Over) else _holder(key, Via.SESSION))
        if isinstance(key, Over):
            if key is Over.GONE:  # the others were good once: nobody has guessed them
                self._context.rates.take(self._wrong_keys(scope, headers), cost=WRONG_KEY_COST)
            exchange = exchange_of(scope)
            exchange.over = key
            if headers.get("sec-fetch-dest") != "empty":  # the script of another tab has to be told why, too
                exchange.headers["Set-Cookie"] = no_cookie(headers)
            return None
        self._remember(token)
        return _holder(key, Via.SESSION)

    def lately(self, headers: Headers) -> Caller | None:
        """Who has the session of the request, as the database said a moment ago; for when it says nothing."""
        token = None if "authorization" in headers else token_of(headers)
        return None if not token else self._context.lately.caller(token)

    def _check_patience(self, scope: Scope, headers: Headers, text: str) -> None:
        left = self._context.rates.take(self._wrong_keys(scope, headers), cost=0)
        if not left.allowed and text[:KNOWN_LENGTH] not in self._context.known_keys:
            raise Problem("too-many-requests", "too many wrong keys came from this address", headers=left.headers)

    def _remember(self, text: str) -> None:
        if len(self._context.known_keys) < MOST_KNOWN:
            self._context.known_keys.add(text[:KNOWN_LENGTH])

    def _wrong_keys(self, scope: Scope, headers: Headers) -> str:
        return f"wrong keys from {self.address(scope, headers)}"

    def _otherwise(self, scope: Scope, headers: Headers) -> Caller:
        return self._by_proxy(scope, headers) or self._local(scope, headers) or self._nobody(scope, headers)

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
        if any(name in headers for name in _FORWARDED) or not names_this_machine(headers.get("host", "")):
            return None
        return Caller("local", Role(role), Via.LOCAL, "local")

    def _nobody(self, scope: Scope, headers: Headers) -> Caller:
        return Caller("nobody", None, Via.NOBODY, f"address {self.address(scope, headers)}")


def _holder(key: Key, via: Via) -> Caller:
    return Caller(key.name, key.role, via, f"key {key.id}", key.id, key.expires_at)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _bad_key(why: str) -> Problem:
    return Problem("bad-key", why, headers={"WWW-Authenticate": "Bearer"})
