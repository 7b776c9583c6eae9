"""Pools and schedules over the API."""

import builtins
from collections.abc import Sequence
from urllib.parse import quote

from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.store.views import PoolStatus, ScheduleView
from remote.connection import Connection
from remote.reading import read, read_each
from services.pools import PoolChange, PoolDetails
from services.use_cases import NewSchedule

POOLS, SCHEDULES = "/v1/pools", "/v1/schedules"


class Pools:
    """The pools of an installation; see `services.pools.Pools`."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection

    def list(self) -> list[PoolStatus]:  # noqa: D102
        return [one for page in self._api.pages(POOLS) for one in read_each(PoolStatus, page)]

    def names(self) -> Sequence[str]:  # noqa: D102
        return [one.name for one in self.list()]

    def details(self, name: str) -> PoolDetails:  # noqa: D102
        data = self._api.get(_at(POOLS, name)).data
        return read(PoolDetails, {**data, "pool": data})

    def pause(self, name: str, reason: str | None = None) -> PoolStatus:  # noqa: D102
        return read(PoolStatus, self._api.post(f"{_at(POOLS, name)}/pause", {"reason": reason}).data)

    def resume(self, name: str) -> PoolStatus:  # noqa: D102
        return read(PoolStatus, self._api.post(f"{_at(POOLS, name)}/resume").data)

    def probe(self, name: str) -> PoolStatus:  # noqa: D102
        return read(PoolStatus, self._api.post(f"{_at(POOLS, name)}/probe").data)

    def set(  # noqa: D102
        self, name: str, *, max_running: int | None = None, max_pending: int | None = None, dry_run: bool = False
    ) -> PoolChange:
        body = {"max_running": max_running, "max_pending": max_pending, "dry_run": dry_run or None}
        return read(PoolChange, self._api.send("PATCH", _at(POOLS, name), json_body=body).data)


class Schedules:
    """The schedules of an installation; see `services.schedules.Schedules`."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection

    def list(self) -> builtins.list[ScheduleView]:  # noqa: D102
        return [one for page in self._api.pages(SCHEDULES) for one in read_each(ScheduleView, page)]

    def names(self) -> Sequence[str]:  # noqa: D102
        return [one.name for one in self.list()]

    def get(self, name: str) -> ScheduleView:  # noqa: D102
        return read(ScheduleView, self._api.get(_at(SCHEDULES, name)).data)

    def add(self, new: NewSchedule) -> ScheduleView:
        """Adds a schedule; raises as `services.schedules.Schedules.add`."""
        place, hints = new.place, new.hints
        if hints.description is not None:
            raise InvalidRequest("a schedule whose files have a description cannot be added over the API: use --direct")
        at = {"location": place} if isinstance(place, str) else {"url": place.url, "filename": place.filename}
        said = {
            "name": new.name, "cron": new.cron, "timezone": new.timezone, **at, "country": new.country,
            "pool": new.pool or None, "priority": new.priority, "year": hints.year, "sex": hints.sex,
            "format": hints.format, "region": hints.region,
        }  # fmt: skip
        return read(ScheduleView, self._api.post(SCHEDULES, said).data)

    def pause(self, name: str, paused: bool) -> ScheduleView:  # noqa: D102
        act = "pause" if paused else "resume"
        return read(ScheduleView, self._api.post(f"{_at(SCHEDULES, name)}/{act}").data)

    def remove(self, name: str) -> None:  # noqa: D102
        self._api.send("DELETE", _at(SCHEDULES, name))


def _at(path: str, name: str) -> str:
    return f"{path}/{quote(name, safe='')}"
