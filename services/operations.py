"""Operations: one act over all jobs or datasets that match a filter, a batch a transaction.

A batch commits its acts together with the place where the next one begins. So whoever dies in the middle has done
nothing twice and leaves nothing out, and somebody else carries the operation on when the lease is over.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from dataset_jobs.model.actor import Act, Actor, target_of
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.model.states import FINISHED
from dataset_jobs.model.text import json_text
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row, Transaction
from services.filters import DatasetFilter, JobFilter
from services.jobs import Jobs
from services.operation_acts import Acts, Batch, Doing, Options, added, judge
from services.operation_filters import checked, filter_from_json, filter_to_json, fixed, matching

MOST = 100_000
"""So many are the most that one operation is for."""

BATCH = 50
LEASE = timedelta(seconds=60)
"""How long an operation waits for whoever carries it on; a batch takes a second or so."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an operation would do now.

    Args:
        matching, can: how many match, and for how many the act is possible.
        cannot: why it is not, and for how many.
        first, last: the oldest and the newest of them; None if there are none.
        causes: what jobs failed of, and how many; None is of those that did not.
        oldest, newest: when the first and the last job were submitted.
    """

    matching: int
    can: int
    cannot: Sequence[tuple[str, int]]
    first: UUID | None
    last: UUID | None
    causes: Sequence[tuple[str | None, int]] = ()
    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation.

    Args:
        key: for `Operations.page`.
        state: running, completed, cancelled or failed.
        of, done, failed: how many matched, how many of them are dealt with, and how many of those were refused.
        refusals: why, and how many.
        is_at_work: somebody carries it on now.
        error: why it failed.
    """

    id: UUID
    key: int
    action: str
    filter: dict[str, Any]
    options: dict[str, Any]
    state: str
    of: int
    done: int
    failed: int
    refusals: dict[str, int]
    made_by: str
    surface: str
    made_at: datetime
    cancel_requested_at: datetime | None
    cancelled_by: str | None
    ended_at: datetime | None
    error: str | None
    is_at_work: bool | None


class TooMany(Conflict):
    """More match than one operation is for."""


class Operations:
    """The operations of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.

    Args:
        database: has them.
        batch: how many a transaction deals with.
    """

    def __init__(self, database: ClientDatabase, batch: int = BATCH) -> None:
        self._database = database
        self._size = batch

    def preview(
        self, doing: Doing, which: JobFilter | DatasetFilter, options: Options | None = None, most: int | None = None
    ) -> Preview:
        """What an operation would do now; writes nothing. Raises as `start`."""
        options = options or Options()
        which = checked(doing, which, options)
        if doing is Doing.PURGE:
            count = self._purgeable(which, options)
            return Preview(count, count, [], None, None)
        rows = self._match(doing, which, most)
        ids = [row["id"] for row in rows]
        can, cannot = judge(self._database, doing, ids)
        if doing.is_of_datasets or not ids:
            return Preview(len(ids), can, cannot, ids[-1] if ids else None, ids[0] if ids else None)
        about = self._database.all("operations.about_jobs", ids=ids)
        return Preview(
            len(ids), can, cannot, ids[-1], ids[0], [(row["cause"], row["jobs"]) for row in about],
            min((row["oldest"] for row in about), default=None), max((row["newest"] for row in about), default=None),
        )  # fmt: skip

    def start(
        self,
        doing: Doing,
        which: JobFilter | DatasetFilter,
        options: Options | None = None,
        most: int | None = None,
        operation_id: UUID | None = None,
    ) -> Operation:
        """Starts an operation over all that match now; `work` carries it on.

        Args:
            most: so many may match, `MOST` if None; a purge takes all.
            operation_id: chosen by whoever asks: asked again with the same one, nothing more is started.

        Raises:
            InvalidRequest: the filter is of something else, or an option is missing or out of range.
            TooMany: more match.
            Conflict: another operation has this id.
        """
        options = options or Options()
        which = checked(doing, which, options)
        which = fixed(which, self._database.now())
        rows = [] if doing is Doing.PURGE else self._match(doing, which, most)
        of = self._purgeable(which, options) if doing is Doing.PURGE else len(rows)
        actor, kept = self._database.actor, filter_to_json(which)

        def work(acting: Acting) -> UUID:
            row = acting.one(
                "operations.start", id=operation_id, action=doing, filter=json_text(kept),
                options=json_text(options.to_json()), of=of, first_key=rows[-1]["key"] if rows else None,
                last_key=rows[0]["key"] if rows else None, made_by=actor.name, surface=actor.surface,
                key_id=actor.key_id, request_id=actor.request_id,
            )  # fmt: skip
            if row is None:
                assert operation_id is not None
                acting.nothing_done()
                return operation_id
            acting.target = target_of("operation", row["id"])
            acting.detail = {"action": doing, "filter": kept, "options": options.to_json(), "of": of}
            return UUID(str(row["id"]))

        made = self.get(self._database.act(Act.OPERATION_START, None, work))
        if (made.action, made.made_by) != (doing, actor.name):
            raise Conflict(f"operation {made.id} is another one: load the page again")
        return made

    def get(self, operation_id: UUID) -> Operation:
        """One of them; raises NotFound."""
        for row in self._database.all("operations.list", id=operation_id, before=None, limit=1):
            return Operation(**row)
        raise NotFound(f"there is no operation {operation_id}")

    def page(self, limit: int, before: int | None = None) -> list[Operation]:
        """The newest ones; `before` is the key of the last one of the page before."""
        return [Operation(**row) for row in self._database.all("operations.list", id=None, before=before, limit=limit)]

    def cancel(self, operation_id: UUID) -> Operation:
        """Ends an operation: what is done stays done. One that was cancelled already stays so.

        Raises:
            NotFound: there is no such operation.
            Conflict: it is over.
        """

        def work(acting: Acting) -> None:
            row = acting.one("operations.end", id=operation_id)
            if row is None:
                raise NotFound(f"there is no operation {operation_id}")
            if row["state"] == "cancelled":
                acting.nothing_done()
                return
            if row["state"] != "running":
                raise Conflict(f"operation {operation_id} is over: it has {row['state']}")
            acting.execute("operations.cancel", id=operation_id, by=self._database.actor.name)

        self._database.act(Act.OPERATION_CANCEL, target_of("operation", operation_id), work)
        return self.get(operation_id)

    def work(self, storage: Storage, stopping: Callable[[], bool] = lambda: False) -> int:
        """Carries on what nobody else does, until there is nothing more to do or it is to stop.

        Any number of processes may do so at one time.

        Args:
            storage: has the files of datasets that are deleted.
            stopping: asked between two batches.

        Returns:
            How many operations it has brought to their end.
        """
        ended, holder = 0, uuid4()
        while not stopping():
            row = self._database.transaction(lambda it: it.one("operations.take", holder=holder, lease=LEASE))
            if row is None:
                break
            ended += self._carry_on(row["id"], holder, storage, stopping)
        return ended

    def _carry_on(self, operation_id: UUID, holder: UUID, storage: Storage, stopping: Callable[[], bool]) -> bool:
        try:
            while not stopping():
                rows = self._database.all("operations.read", id=operation_id, holder=holder)
                if not rows:
                    return False  # it was cancelled, or somebody else has taken it
                over = self._batch(rows[0], holder, storage)
                if over is not False:
                    return bool(over)
        except InvalidRequest as error:
            # The filter names what is gone meanwhile, such as a pool.
            self._end(operation_id, holder, "operations.fail", error=str(error))
            return True
        self._end(operation_id, holder, "operations.give_back")
        return False

    def _end(self, operation_id: UUID, holder: UUID, query: str, **parameters: str) -> None:
        self._database.transaction(lambda it: it.execute(query, id=operation_id, holder=holder, **parameters))

    def _batch(self, operation: Row, holder: UUID, storage: Storage) -> bool | None:
        """Does a batch: True if it was the last one, None if it is somebody else's now."""
        doing, position = Doing(operation["action"]), operation["position"]
        actor = Actor(operation["made_by"], operation["surface"], operation["request_id"], operation["key_id"])
        database = self._database.acting_as(actor)
        act = Acts(database, doing, Options.from_json(operation["options"]), str(operation["id"]))
        which = filter_from_json(doing.is_of_datasets, operation["filter"])
        size = 1 if doing is Doing.DELETE else self._size  # a dataset may have millions of rows
        found: Sequence[Row] = []
        if doing is not Doing.PURGE and position is not None:
            found = [row for row in matching(database, which, position, size) if row["key"] >= operation["first_key"]]

        def work(transaction: Transaction) -> tuple[Batch, bool] | None:
            locked = transaction.one("operations.lock", id=operation["id"], holder=holder, position=position)
            if locked is None:
                return None
            batch = Batch()
            if doing is Doing.PURGE:
                over = act.purge(transaction, which, batch)
            else:
                over = len(found) < size
                for row in found:
                    act.one(transaction, row["id"], batch)
            transaction.execute(
                "operations.advance", id=operation["id"], done=batch.done, failed=sum(batch.refusals.values()),
                refusals=json_text(added(locked["refusals"], batch.refusals)),
                position=found[-1]["key"] if found else position, lease=LEASE, over=over,
            )  # fmt: skip
            return batch, over

        result = database.transaction(work)
        if result is None:
            return None
        for uri in result[0].uris:
            _delete_file(storage, uri)
        return result[1]

    def _match(self, doing: Doing, which: JobFilter | DatasetFilter, most: int | None) -> Sequence[Row]:
        most = most or MOST
        rows = matching(self._database, which, None, most + 1)
        if len(rows) > most:
            raise TooMany(f"more than {most:,} match: {doing} fewer at one time, such as those of one day")
        return rows

    def _purgeable(self, which: JobFilter | DatasetFilter, options: Options) -> int:
        assert isinstance(which, JobFilter) and options.older_than is not None
        return sum(Jobs(self._database).purgeable(options.older_than, which.states or FINISHED).values())


def _delete_file(storage: Storage, uri: str) -> None:
    # The dataset is gone; a file that nothing refers to does no harm.
    with contextlib.suppress(RunError):
        storage.delete(uri)
