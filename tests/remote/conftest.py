"""An installation with an API, asked both ways: by its database, and by its API."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.client import Api, running
from tests.integration.command_line import Run, runner
from tests.integration.conftest import world
from tests.integration.world import World

__all__ = ["world"]


@dataclass(frozen=True, slots=True)
class BothWays:
    """The commands of an installation.

    Args:
        world: the installation.
        api: its API.
        direct: asks its database.
        remote: asks its API, as an admin.
    """

    world: World
    api: Api
    direct: Run
    remote: Run

    @property
    def address(self) -> str:
        """Of the API."""
        return f"http://127.0.0.1:{self.api.listening.port}"

    def asking_as(self, role: str | None = "admin", **settings: str) -> Run:
        """Asks the API with the key of a role."""
        key = {"AFFIRM_WORKER_KEY": self.api.keys[role]} if role else {}
        return runner({**self._own, "AFFIRM_WORKER_API": self.address, **key, **settings}, self.world.folder)

    @property
    def _own(self) -> dict[str, str]:
        return {"AFFIRM_WORKER_HOME": str(self.world.folder / "no-home"), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}


def both_ways(world: World, api: Api) -> BothWays:
    """The commands of an installation, both ways."""
    home = {"AFFIRM_WORKER_HOME": str(world.folder / "home"), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    direct = runner({**world.environment, **home}, world.folder)
    remote = {
        **home,
        "AFFIRM_WORKER_HOME": str(world.folder / "no-home"),
        "AFFIRM_WORKER_API": f"http://127.0.0.1:{api.listening.port}",
        "AFFIRM_WORKER_KEY": api.keys["admin"],
    }
    return BothWays(world, api, direct, runner(remote, world.folder))


@pytest.fixture
def both(world: World) -> Iterator[BothWays]:
    """An installation that holds a loaded dataset, a failed one and one that waits."""
    with running(world) as api:
        yield both_ways(world, api)


_WHERE = re.compile(r"AFFIRM_WORKER_HOME=\S+ (?:\S*/)?affirm-worker ")
_STORED = re.compile(r'"storage_uri": "[^"]*"')
"""The API does not say where storage keeps a file."""

_AGE = re.compile(r"(?<=wait_seconds\": )[0-9.]+|\d+(\.\d+)? s\b|\d\d:\d\d:\d\d(\.\d+)?")


_PLACES = re.compile(r"^(database|storage|API) +\S.*\n", re.MULTILINE)
"""Where the status begins."""


def without_where(text: str, folder: Path) -> str:
    """A text without what differs by itself: the home in commands, and how long ago something was."""
    return _AGE.sub("…", _PLACES.sub("", _STORED.sub("", _WHERE.sub("affirm-worker ", text)))).replace(str(folder), "")
