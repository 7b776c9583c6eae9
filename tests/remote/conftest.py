"""An installation with an API, asked both ways: by its database, and by its API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.client import Api
from tests.api.conftest import api, world
from tests.integration.command_line import Run, bare, runner
from tests.integration.world import World

__all__ = ["api", "world"]


@dataclass(frozen=True, slots=True)
class BothWays:
    """The commands of an installation.

    Args:
        world: the installation.
        api: its API.
        direct: asks its database.
    """

    world: World
    api: Api
    direct: Run

    @property
    def address(self) -> str:
        """Of the API."""
        return f"http://127.0.0.1:{self.api.listening.port}"

    @property
    def remote(self) -> Run:
        """Asks its API, as an admin."""
        return self.asking_as()

    def asking_as(self, role: str | None = "admin", **settings: str) -> Run:
        """Asks the API with the key of a role."""
        key = {"AFFIRM_WORKER_KEY": self.api.keys[role]} if role else {}
        own = {**_at_home(self.world, "no-home"), "AFFIRM_WORKER_API": self.address}
        return runner({**own, **key, **settings}, self.world.folder)


def both_ways(world: World, api: Api) -> BothWays:
    """The commands of an installation, both ways."""
    return BothWays(world, api, runner({**world.environment, **_at_home(world, "home")}, world.folder))


def _at_home(world: World, name: str) -> dict[str, str]:
    return {"AFFIRM_WORKER_HOME": str(world.folder / name), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}


@pytest.fixture
def both(world: World, api: Api) -> BothWays:
    """The commands of a new installation, both ways."""
    return both_ways(world, api)


_STORED = re.compile(r'"storage_uri": "[^"]*"')
"""The API does not say where storage keeps a file."""

_AGE = re.compile(r"(?<=wait_seconds\": )[0-9.]+|\d+(\.\d+)? s\b|\d\d:\d\d:\d\d(\.\d+)?")


_PLACES = re.compile(r"^(database|storage|API) +\S.*\n", re.MULTILINE)
"""Where the status begins."""


def without_where(text: str, folder: Path) -> str:
    """A text without what differs by itself: the home in commands, and how long ago something was."""
    return _AGE.sub("…", _PLACES.sub("", _STORED.sub("", bare(text)))).replace(str(folder), "")


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY = re.compile(r"aw_\w+|(?<=key )\w{8}(?= of)")


def without_ids(text: str, ids: Mapping[str, str]) -> str:
    """A text with words in place of ids: those that are known by name, and others; spaces of tables may differ then."""
    for name, one in ids.items():
        text = text.replace(one, name)
    return _KEY.sub("a key", _ID.sub("an id", text))
