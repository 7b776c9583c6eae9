"""Whether a connection to Postgres proves who the server is, if its URL does not say.

libpq's own default, `prefer`, takes any server, and goes on without TLS if somebody in between says that there is none.
So whoever gives a CA gets `verify-full`. Sockets and the loopback interface leave no machine and need no proof.
"""

import ipaddress
import os
from collections.abc import Mapping
from typing import Any

from psycopg.conninfo import conninfo_to_dict

CA_VARIABLE = "PGSSLROOTCERT"
"""libpq's variable for the file with the CA's certificates."""

_SAID = (("sslmode", "PGSSLMODE"), ("service", "PGSERVICE"))
"""If one of these is there, it is for it to say. A service is a section of a file that only libpq reads."""


def default_mode(conninfo: str, environment: Mapping[str, str] | None = None) -> str | None:
    """The sslmode to connect with; None for what the connection string, the environment or libpq says.

    Args:
        conninfo: as libpq takes it.
        environment: instead of this process's.
    """
    parts, given = conninfo_to_dict(conninfo), os.environ if environment is None else environment
    return "verify-full" if _is_open(parts, given) and _ca(parts, given) else None


def doubt(conninfo: str, environment: Mapping[str, str] | None = None) -> str | None:
    """What may be wrong with a connection that leaves this machine; None if it is proven, or somebody has decided.

    Args:
        conninfo, environment: as of `default_mode`.
    """
    parts, given = conninfo_to_dict(conninfo), os.environ if environment is None else environment
    if not _is_open(parts, given) or _ca(parts, given):
        return None
    return (
        "the database is not asked who it is, and a connection without TLS is taken too: give the CA of its certificate"
        f" ({CA_VARIABLE}, or database.caSecret of the chart), or say in the URL that it has to be so (sslmode=prefer)"
    )


def _is_open(parts: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """It leaves this machine, and nobody has said how."""
    if any(parts.get(name) or environment.get(variable) for name, variable in _SAID):
        return False
    named = parts.get("host") or parts.get("hostaddr") or environment.get("PGHOST") or environment.get("PGHOSTADDR")
    return not all(_is_here(host.strip()) for host in str(named or "").split(","))


def _is_here(host: str) -> bool:
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _ca(parts: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    return parts.get("sslrootcert") or environment.get(CA_VARIABLE)
