"""Conversion of values that Postgres knows and Python cannot hold, or the other way round.

`connecting` registers it once, for all connections.

- Text of any kind can be stored: NUL and half surrogate pairs are escaped, in columns and in JSON.
- A time or interval that Python cannot hold is read as the nearest that it can. Otherwise one such row would break
  every list with it. https://www.psycopg.org/psycopg3/docs/advanced/adapt.html (Infinity dates handling)
- JSON that Python cannot hold (a number of 5000 digits, a thousand brackets) is read as None.
"""

import json
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg.types.string import StrDumperUnknown

from dataset_jobs.model.text import json_text, storable
from dataset_jobs.model.times import BEGINLESS, ENDLESS


def register() -> None:
    """Registers them for the connections that this process opens from now on."""
    psycopg.adapters.register_dumper(str, _StorableDumper)
    psycopg.adapters.register_loader("timestamptz", _TimeLoader)
    psycopg.adapters.register_loader("interval", _IntervalLoader)
    set_json_dumps(json_text)
    set_json_loads(_json_of)


class _StorableDumper(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(storable(obj))


class _Bounded(Loader):
    """As psycopg's own loader, which it has inside: that one is native code and cannot be derived from."""

    type_name = ""
    nearest: tuple[Any, Any]

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        loader = _OWN[self.type_name]
        assert loader is not None
        # Without the connection, whose report of formats and zone a pooler's other clients decide: `session` sets ours.
        self._load = loader(oid, None).load

    def load(self, data: Buffer) -> Any:
        try:
            return self._load(data)
        except psycopg.DataError:
            return self._nearest(bytes(data))

    def _nearest(self, text: bytes) -> Any:
        return self.nearest[0] if text.startswith(b"-") or text.endswith(b"BC") else self.nearest[1]


class _TimeLoader(_Bounded):
    type_name = "timestamptz"
    nearest = (BEGINLESS, ENDLESS)


class _IntervalLoader(_Bounded):
    type_name = "interval"
    nearest = (timedelta.min, timedelta.max)

    def load(self, data: Buffer) -> Any:
        # psycopg takes this for an interval without any part: zero.
        return self._nearest(bytes(data)) if bytes(data[-8:]) == b"infinity" else super().load(data)


_OWN = {
    name: psycopg.adapters.get_loader(psycopg.adapters.types[name].oid, Format.TEXT)
    for name in ("timestamptz", "interval")
}


def _json_of(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
