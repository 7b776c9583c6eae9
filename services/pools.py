"""Pools: list, show, pause, resume, change. Each change is one transaction that locks the pool's row, as claims do."""

import builtins
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.pools import MAX_RUNNING_LIMIT
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row
from dataset_jobs.store.views import ControllerStatus, PoolState, PoolStatus, Surroundings


@dataclass(frozen=True, slots=True)
class RecentRuns:
    """The runs of the last 24 hours that ended alike; `cause` is None for those that have not ended."""

    cause: str | None
    runs: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class PoolDetails:
    """A pool with its history.

    Args:
        controllers: that claim from it now.
        recent: its runs of the last 24 hours, by their end.
    """

    pool: PoolStatus
    controllers: list[ControllerStatus]
    recent: list[RecentRuns]


@dataclass(frozen=True, slots=True)
class PoolChange:
    """A pool before and after a change, or as it would be after one."""

    before: PoolStatus
    after: PoolStatus


class Pools:
    """The pools of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it, and those that name a pool
    raise `NotFound`. A pool that a ParserPool describes is changed there: then they raise `Conflict`, with the way.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def list(self) -> list[PoolStatus]:
        """All of them, by name."""
        return self._read(None)

    def names(self) -> Sequence[str]:
        """Their names, in order."""
        return [row["name"] for row in self._database.all("pools.names")]

    def get(self, name: str) -> PoolStatus:
        """One of them."""
        for pool in self._read(name):
            return pool
        raise self._not_found(name)

    def _read(self, name: str | None) -> builtins.list[PoolStatus]:
        return [PoolStatus(**row) for row in self._database.all("status.pools", pool=name)]

    def details(self, name: str) -> PoolDetails:
        """One of them, with what is known of its past."""
        pool = self.get(name)
        controllers = [ControllerStatus(**row) for row in self._database.all("status.controllers")]
        return PoolDetails(pool, Surroundings([pool], controllers).serving(name), self.recent_runs(name))

    def recent_runs(self, name: str) -> builtins.list[RecentRuns]:
        """The runs of a pool of the last 24 hours, by their end; none if there is no such pool."""
        return [RecentRuns(**row) for row in self._database.all("pools.recent_runs", pool=name)]

    def pause(self, name: str, reason: str | None = None) -> PoolStatus:
        """Nothing is claimed any more, and runs at work go on. A pool that is paused already gets the new reason.

        Args:
            name: of the pool.
            reason: for those who look at the pool later.
        """

        def work(transaction: Acting, pool: Row) -> None:
            _refuse_described(name, pool, {"paused": True})
            transaction.execute("pools.pause", pool=name, reason=reason)
            transaction.detail = {"reason": reason}

        self._change(Act.POOL_PAUSE, name, work)
        return self.get(name)

    def resume(self, name: str, reason: str | None = None) -> PoolStatus:
        """Ends a pause. If the pool is blocked, one run is tried at once; the pool goes on as soon as one starts.

        Args:
            name: of the pool.
            reason: for the audit.
        """

        def work(transaction: Acting, pool: Row) -> None:
            if pool["paused"]:
                _refuse_described(name, pool, {"paused": False})
            transaction.execute("pools.resume", pool=name)
            transaction.detail = {} if reason is None else {"reason": reason}

        self._change(Act.POOL_RESUME, name, work)
        return self.get(name)

    def probe(self, name: str) -> PoolStatus:
        """Has a run of a blocked pool tried at once, also of one that a ParserPool describes. Others stay as they are.

        While a pool is paused, nothing is tried.
        """

        def work(transaction: Acting, pool: Row) -> None:
            if transaction.one("pools.probe", pool=name) is None:
                transaction.nothing_done()

        self._change(Act.POOL_PROBE, name, work)
        return self.get(name)

    def set(
        self, name: str, *, max_running: int | None = None, max_pending: int | None = None, dry_run: bool = False
    ) -> PoolChange:
        """Changes the maxima of a pool. A lower one ends no run: nothing is claimed until fewer are at work.

        Args:
            name: of the pool.
            max_running: the most runs at once, of all controllers together; None leaves it.
            max_pending: the most runs that have not started yet; None leaves it.
            dry_run: only find out what would change.

        Raises:
            InvalidRequest: a number is out of range.
        """
        _check("maximum of runs", max_running, 0)
        _check("maximum of runs that have not started", max_pending, 1)

        def work(transaction: Acting, pool: Row) -> None:
            asked = {"maxParallelism": max_running, "maxPendingPods": max_pending}
            if max_running is not None and max_running < pool["min_running"]:
                asked["minParallelism"] = max_running  # more than the maximum is refused
            _refuse_described(name, pool, {field: value for field, value in asked.items() if value is not None})
            if dry_run:
                transaction.nothing_done()
                return
            transaction.execute("pools.change", pool=name, max_running=max_running, max_pending=max_pending)
            transaction.detail = {
                column: {"from": pool[column], "to": value}
                for column, value in (("max_running", max_running), ("max_pending", max_pending))
                if value is not None
            }

        row, now = self._change(Act.POOL_SET, name, work), self.get(name)
        before = replace(now, max_running=row["max_running"], max_pending=row["max_pending"])
        return PoolChange(
            before,
            replace(
                before,
                max_running=before.max_running if max_running is None else max_running,
                max_pending=before.max_pending if max_pending is None else max_pending,
            ),
        )

    def _change(self, action: Act, name: str, work: Callable[[Acting, Row], None]) -> Row:
        """Does `work` with the pool's row under lock. Returns the row as it was."""

        def locked(transaction: Acting) -> Row | None:
            pool = transaction.one("pools.lock", pool=name)
            if pool is None:
                transaction.nothing_done()
            else:
                work(transaction, pool)
            return pool

        pool = self._database.act(action, target_of("pool", name), locked)
        if pool is None:
            raise self._not_found(name)
        return pool

    def _not_found(self, name: str) -> NotFound:
        meant = get_close_matches(name.casefold(), self.names(), n=1, cutoff=0.6)
        guess = f"; did you mean {meant[0]}?" if meant else ""
        return NotFound(f"there is no pool {name}{guess}", hints=() if meant else [Hint(Action.LIST_POOLS)])


def change_of(pool: PoolState, spec: Mapping[str, Any], otherwise: Action) -> Hint:
    """How to change a pool.

    Args:
        pool: which one.
        spec: the change as its ParserPool has it, if one describes it.
        otherwise: the action if none does.
    """
    return _patch(pool.name, pool.described_in, spec) if pool.described else Hint(otherwise, name=pool.name)


def _patch(name: str, namespace: str | None, spec: Mapping[str, Any]) -> Hint:
    patch = json.dumps({"spec": spec}, separators=(",", ":"))
    return Hint(Action.PATCH_PARSER_POOL, name=name, namespace=namespace, patch=patch)


def _refuse_described(name: str, pool: Row, spec: Mapping[str, Any]) -> None:
    if pool["described"]:
        raise Conflict(
            f"pool {name} is as its ParserPool describes it, so change that",
            hints=[_patch(name, pool["described_in"], spec)],
        )


def _check(what: str, value: int | None, least: int) -> None:
    if value is not None and not least <= value <= MAX_RUNNING_LIMIT:
        raise InvalidRequest(f"{what} {value}: expected a whole number from {least} to {MAX_RUNNING_LIMIT}")
