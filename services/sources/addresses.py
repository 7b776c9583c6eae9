"""Addresses of files: which ones may be asked, and how they are shown without their credentials."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line

SCHEMES = ("https", "http")
LONGEST = 2000
"""Characters of an address."""

_SECRET = re.compile(
    r"sig(nature)?|.*(token|secret|password|passwd|api-?_?key|credential|signature)|key|pwd|auth", re.I
)
_NEVER = (
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("fe80::/10"),
    ipaddress.ip_network("fd00:ec2::/32"),
    ipaddress.ip_network("fd20:ce::/32"),
    ipaddress.ip_network("100.100.100.200/32"),
    ipaddress.ip_network("168.63.129.16/32"),
)
"""Where clouds hand out credentials to whoever asks from inside."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https address.

    Args:
        url: with neither user, password nor fragment.
        host, port: of the server.
        login: user and password, if the address had them.
    """

    url: str
    scheme: str
    host: str
    port: int
    login: tuple[str, str] | None = None

    @classmethod
    def parse(cls, given: str) -> Self:
        """Reads an address; raises InvalidRequest, which shows no credentials."""
        shown = shown_address(given)
        try:
            parts = urlsplit(given)
            port = parts.port
            host = (parts.hostname or "").encode("idna").decode() if not _is_literal(parts.hostname) else parts.hostname
        except (ValueError, UnicodeError):
            raise InvalidRequest(f"{shown}: no address of a file; expected https://host/path") from None
        scheme = parts.scheme.lower()
        if scheme not in SCHEMES or not host or one_line(given) != given or " " in given or len(given) > LONGEST:
            raise InvalidRequest(
                f"{shown}: no address of a file; expected https://host/path, at most {LONGEST} letters"
            )
        default = 443 if scheme == "https" else 80
        where = f"[{host}]" if ":" in host else host
        path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._") or "/"
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]{}|")
        url = urlunsplit((scheme, where if port in (None, default) else f"{where}:{port}", path, query, ""))
        login = None
        if parts.username is not None:
            login = (unquote(parts.username), unquote(parts.password or ""))
        return cls(url, scheme, host, port or default, login)

    @property
    def shown(self) -> str:
        """For people and logs."""
        return shown_address(self.url)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Who gets the credentials."""
        return self.scheme, self.host, self.port

    @property
    def has_secrets(self) -> bool:
        """Whether it holds credentials: a login, or a parameter such as token."""
        return self.login is not None or any(_SECRET.fullmatch(name) for name, _ in parse_qsl(urlsplit(self.url).query))


def is_address(given: str) -> bool:
    """Whether it is meant as an http or https address."""
    return given.lower().startswith(("https://", "http://"))


def shown_address(url: str) -> str:
    """An address without login, secret parameters and fragment; only its scheme if it is malformed."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        login = "***@" if "@" in parts.netloc else ""
        query = parts.query
        if query and any(_SECRET.fullmatch(name) for name, _ in parse_qsl(query, keep_blank_values=True)):
            pairs = parse_qsl(query, keep_blank_values=True)
            query = urlencode(
                [(name, "***" if _SECRET.fullmatch(name) else value) for name, value in pairs], safe="*/:"
            )
    except ValueError:
        return f"{url.partition(':')[0][:20]}://…"
    return one_line(urlunsplit((parts.scheme, login + host, parts.path, query, "")))


def refusal(ip: str, *, loopback: bool) -> str | None:
    """Why no request goes to an IP address; None if one may.

    Args:
        ip: as the resolver or the socket gives it.
        loopback: whether this machine itself may be asked.
    """
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _NEVER if network.version == address.version):
        return f"{address} is a link-local or metadata address of a cloud, which is never asked"
    if address.is_multicast or (address.is_reserved and address.version == 4):
        return f"{address} is no server's address"
    if not loopback and (address.is_loopback or address.is_unspecified):
        return f"{address} is this machine itself, which schedules ask only with SCHEDULE_ALLOW_LOOPBACK=true"
    return None


def _is_literal(host: str | None) -> bool:
    try:
        ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return False
    return True
