"""The cookie of a browser's session: its name, how it is set, and how it is taken back.

Over HTTPS it is of this host alone, and no other site or subdomain can set it. On this machine itself plain HTTP is
enough; there all ports of a name share their cookies, so the port is in the name of the cookie.
"""

from datetime import timedelta

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

_SECURE = "__Host-aw"
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_COMMON = "Path=/; HttpOnly; SameSite=Strict"

LONGEST = 200
"""Characters of a token; what is longer is none."""


def names_this_machine(host: str) -> bool:
    """Whether Host is this machine by a name that no other site can have: one may lead here by its DNS."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.casefold() in _LOCAL_NAMES


def token_of(headers: Headers) -> str | None:
    """The token of the session that a request has; None if it has none."""
    found = cookie_parser(headers.get("cookie", "")).get(_name(headers), "")
    return found if 0 < len(found) <= LONGEST else None


def cookie(headers: Headers, token: str, lasts: timedelta) -> str:
    """The header `Set-Cookie` that begins a session; the token is one that needs no quotes."""
    return f"{_name(headers)}={token}; Max-Age={int(lasts.total_seconds())}; {_attributes(headers)}"


def no_cookie(headers: Headers) -> str:
    """The header `Set-Cookie` that ends it."""
    return f"{_name(headers)}=; Max-Age=0; {_attributes(headers)}"


def _name(headers: Headers) -> str:
    host = headers.get("host", "")
    port = host.rpartition(":")[2]
    return _SECURE if not names_this_machine(host) else f"aw-{port}" if port.isdigit() else "aw"


def _attributes(headers: Headers) -> str:
    return _COMMON if names_this_machine(headers.get("host", "")) else f"{_COMMON}; Secure"
