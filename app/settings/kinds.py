"""Kinds of values that settings have: each reads a text, and refuses one that is not allowed."""

import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo
from pydantic import AfterValidator, BeforeValidator

from dataset_jobs.model.durations import parse_duration
from dataset_jobs.model.text import one_line

_PORTS = re.compile(r"\d*(,\d*)*", re.ASCII)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URL = re.compile(r"postgres(?:ql)?://([^?]*)")


def connection_parts(conninfo: str) -> dict[str, Any]:
    """The parameters of a connection string.

    Raises:
        ValueError: it is malformed; the message quotes nothing.
    """
    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        raise ValueError("malformed") from None
    # libpq takes what follows a stray @ or / for a host, a port or a database, and quotes it in its errors.
    found = _URL.match(conninfo)
    stray = found is not None and (found[1].count("@") > 1 or "@" in found[1].partition("/")[2])
    if stray or not _PORTS.fullmatch(str(parts.get("port", ""))):
        raise ValueError("malformed")
    return parts


def redacted(conninfo: str) -> str:
    """Where a connection string leads to, without its password; only its scheme if it is malformed."""
    try:
        parts = connection_parts(conninfo)
    except ValueError:
        scheme = re.match(r"[a-z]+://", conninfo)
        return f"{scheme[0] if scheme else ''}..."
    shown: dict[str, Any] = {name: parts[name] for name in ("host", "port", "dbname", "user") if name in parts}
    return make_conninfo(**shown) + (" password=***" if "password" in parts else "")


def hidden(name: str, value: str) -> str:
    """The value of a secret setting as it is shown: where it leads to, and nothing of a key."""
    return "***" if name == "affirm_worker_key" else redacted(value)


def holds_secret(name: str, value: str) -> bool:
    """Whether the value of a setting is a key, or holds a password."""
    return name == "affirm_worker_key" or has_password(value)


def has_password(conninfo: str) -> bool:
    """Whether a connection string holds a password; a malformed URL may."""
    try:
        return "password" in connection_parts(conninfo)
    except ValueError:
        return _URL.match(conninfo) is not None


def without_login(text: str) -> str:
    """A text with the login of a URL hidden: somebody may put one where none belongs."""
    return re.sub(r"://.*@", "://***@", text, flags=re.DOTALL)


def url_advice(conninfo: str) -> str:
    """What to change in a malformed connection string, after the allowed values; empty if that cannot be told."""
    if scheme := re.match(r"postgres(?:ql)?(\+\w{1,20})://", conninfo):
        return f"; leave out {scheme[1]}, which only SQLAlchemy knows"
    if unknown := _unknown_parameter(conninfo):
        own = "; DATABASE_SCHEMA names the schema" if "schema" in unknown.casefold() else ""
        return f"; leave out {unknown}, which is no parameter of a Postgres URL{own}"
    found = _URL.match(conninfo)
    login = found[1].rpartition("@")[0] if found else ""
    if _STRAY_PERCENT.search(conninfo) or "@" in login or "/" in login:
        return "; percent-encode %, @ and / in the password: %25, %40 and %2F"
    return ""


def _unknown_parameter(conninfo: str) -> str | None:
    """The name of a parameter of a URL that libpq does not know; None if it may be a part of a password."""
    query = conninfo.partition("?")[2]
    if not _URL.match(conninfo) or "@" in query:
        return None
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} | {"ssl"}
    names = (part.partition("=")[0] for part in query.split("&"))
    return next((name for name in names if name not in known and re.fullmatch(r"[A-Za-z_]{1,30}", name)), None)


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def durations(value: Any) -> Any:
    """Durations with commas between them."""
    return tuple(parse_duration(part) for part in value.split(",")) if isinstance(value, str) else value


def networks(value: Any) -> Any:
    """Networks with commas between them; an address alone is one."""
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip(), strict=False) for part in value.split(","))


def pairs(value: Any) -> Any:
    """NAME=WORD with commas between them."""
    if not isinstance(value, str):
        return value
    found = tuple(tuple(word.strip() for word in part.rpartition("=")[::2]) for part in value.split(","))
    if not all(name for name, _ in found):
        raise ValueError("a name is missing")
    return found


def _connection_string(value: str) -> str:
    connection_parts(value)
    return value


def within(first: timedelta, last: timedelta) -> AfterValidator:
    """A check that a duration lies between these."""

    def check(value: timedelta) -> timedelta:
        if not first <= value <= last:
            raise ValueError("out of range")
        return value

    return AfterValidator(check)


def _plain_text(value: str) -> str:
    if one_line(value) != value:
        raise ValueError("control characters, or not UTF-8")
    return value


def _api_address(value: str) -> str:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError if it is none
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("no address of an API")
    if parts.username is not None or parts.password is not None or one_line(value) != value:
        raise ValueError("a login, or characters that no address has")
    return value.rstrip("/")


def api_key(value: str) -> str:
    """A key, if it can be one; raises ValueError."""
    if not re.fullmatch(r"[!-~]{1,4096}", value):
        raise ValueError("no key")
    return value


def upper(value: Any) -> Any:
    """A text in upper case."""
    return value.upper() if isinstance(value, str) else value


def lower(value: Any) -> Any:
    """A text in lower case."""
    return value.lower() if isinstance(value, str) else value


PlainText = Annotated[str, AfterValidator(_plain_text)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
ApiAddress = Annotated[str, AfterValidator(_api_address)]
ApiKey = Annotated[str, AfterValidator(api_key)]
ConnectionString = Annotated[str, AfterValidator(_connection_string)]
