"""Keys over the API."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from remote.connection import Connection
from remote.lists import when
from remote.reading import read, read_each
from services.keys import Key, MadeKey, Role

KEYS = "/v1/keys"


class Keys:
    """The keys of an installation; see `services.keys.Keys`."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection

    def make(self, name: str, role: Role, expires_in: timedelta | None = None) -> MadeKey:  # noqa: D102
        said = {"name": name, "role": role, "expires_in": when(expires_in)}
        data = self._api.post(KEYS, said).data
        return MadeKey(read(Key, data), str(data["key"]))

    def all(self) -> Sequence[Key]:  # noqa: D102
        found = [one for page in self._api.pages(KEYS, limit=None) for one in read_each(Key, page)]
        return sorted(found, key=lambda key: key.made_at, reverse=True)

    def revoke(self, key_id: str) -> None:  # noqa: D102
        self._api.send("DELETE", f"{KEYS}/{quote(key_id, safe='')}")
