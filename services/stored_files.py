"""Stored files that no dataset refers to: what is left if a process dies between storing a file and writing its row."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dataset_jobs.model.actor import Act
from dataset_jobs.model.errors import FolderMissing
from dataset_jobs.model.requests import Conflict, InvalidRequest
from dataset_jobs.storage import Storage, StoredFile
from dataset_jobs.store.client_connection import Acting, ClientDatabase
from services.ids import as_uuid
from services.listing import in_parts

LEAST_AGE = timedelta(hours=1)
"""Younger files may be of a submission that is under way: its row follows its file within minutes."""

AT_ONCE = 500
FEW = 10
"""So many orphans are no sign of another installation's files."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """What was found in storage.

    Args:
        files: those of no dataset, and old enough.
        known: how many of those that are old enough are a dataset's.
    """

    files: Sequence[StoredFile]
    known: int

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.size for one in self.files)


def find_orphans(database: ClientDatabase, storage: Storage, older_than: timedelta) -> Orphans:
    """Files at the places of datasets, `COUNTRY/ID`, of which there is no dataset. Other files are never looked at.

    Such an id is made for one submission and never again, so no later submission makes an orphan a dataset's file; only
    one that stored its file before, and writes the row later, could, which `LEAST_AGE` is for.

    Args:
        older_than: stored so long ago, by the database's clock.

    Raises:
        InvalidRequest: that is too short.
        RunError: as database or storage have it.
    """
    if older_than < LEAST_AGE:
        raise InvalidRequest("a file may wait for its dataset for some time: ask for those of an hour ago, or older")
    before = database.now() - older_than
    orphans, known = list[StoredFile](), 0
    for some in in_parts(_stored(database, storage), AT_ONCE):
        old = [(dataset_id, file) for dataset_id, file in some if file.stored_at < before]
        there = _there(database, [dataset_id for dataset_id, _ in old])
        known += len(there)
        orphans += [file for dataset_id, file in old if dataset_id not in there]
    return Orphans(orphans, known)


def remove_orphans(database: ClientDatabase, storage: Storage, orphans: Orphans, *, even_most: bool = False) -> int:
    """Removes what `find_orphans` has found, and looks again before; how many are gone.

    Raises:
        Conflict: there are more than files of datasets, so they may be another installation's; unless `even_most`.
        RunError: as database or storage have it; what is removed by then stays so.
    """
    if len(orphans.files) > max(FEW, orphans.known) and not even_most:
        raise Conflict(
            f"{len(orphans.files):,} stored files are of no dataset here, and {orphans.known:,} are of one: this may be"
            " the storage of another installation, too, or the database an old one"
        )
    removed = 0
    for some in in_parts(orphans.files, AT_ONCE):

        def work(acting: Acting, some: Sequence[StoredFile] = some) -> list[StoredFile]:
            ids = {one.uri: UUID(one.name) for one in some}
            there = {row["id"] for row in acting.all("datasets.there", ids=[*ids.values()])}
            gone = [one for one in some if ids[one.uri] not in there]
            acting.detail = {"files": len(gone), "bytes": sum(one.size for one in gone)}
            return gone

        # The audit first: if this dies in between, the rest are still orphans.
        for file in database.act(Act.STORAGE_CLEAN, None, work):
            storage.delete(file.uri)
            removed += 1
    return removed


def _stored(database: ClientDatabase, storage: Storage) -> Iterator[tuple[UUID, StoredFile]]:
    """The files at the places of datasets, with the ids in their names."""
    for row in database.all("submit.list_countries"):
        with suppress(FolderMissing):  # nothing was ever stored of it
            for file in storage.files(row["code"]):
                dataset_id = as_uuid(file.name)
                if dataset_id is not None and storage.location(file.uri) == f"{row['code']}/{dataset_id}":
                    yield dataset_id, file


def _there(database: ClientDatabase, ids: Sequence[UUID]) -> set[UUID]:
    return {row["id"] for row in database.all("datasets.there", ids=[*ids])} if ids else set()
