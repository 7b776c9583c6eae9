"""What people have done, as the transactions of their acts have written it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.store.client_connection import ClientDatabase


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act.

    Args:
        actor, surface: who did it, and by what way.
        action: see `Act`; a newer version may have written others.
        target: such as `job/ID`.
        result: what has become of it.
        detail: more of it.
        request_id, key_id: if it came by the API.
    """

    id: int
    at: datetime
    actor: str
    surface: str
    action: str
    target: str | None
    result: str
    detail: dict[str, Any]
    request_id: str | None
    key_id: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which acts; each condition must hold, and None always does."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A part of the audit, the newest first; `next` is `before` of the page after it, None if there is none."""

    items: Sequence[AuditEntry]
    next: int | None


class Audit:
    """The audit of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def page(self, which: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
        """A page of acts, the newest first."""
        rows = self._database.all(
            "audit.list", before=before, limit=limit + 1,
            actor=which.actor, action=which.action, target=which.target,
        )  # fmt: skip
        found = [AuditEntry(**row) for row in rows[:limit]]
        # Times rise with the ids: the first older one is where the list ends.
        recent = [entry for entry in found if which.since is None or entry.at >= which.since]
        more = len(rows) > limit and len(recent) == len(found)
        return AuditPage(recent, recent[-1].id if more else None)

    def is_upload_of(self, dataset_id: UUID, key_id: str | None, actor: str) -> bool:
        """Whether a dataset was submitted with this key; without a key, by this actor over HTTP without one."""
        found = self._database.only(
            "audit.done_by", key_id=key_id, actor=actor, action=Act.DATASET_SUBMIT,
            target=target_of("dataset", dataset_id),
        )  # fmt: skip
        return bool(found["done"])

    def uploaders(self, dataset_ids: Iterable[UUID]) -> Mapping[UUID, str]:
        """Who submitted these datasets; those that nobody is known of are left out."""
        targets = {target_of("dataset", one): one for one in dataset_ids}
        rows = self._database.all("audit.first_of", action=Act.DATASET_SUBMIT, targets=[*targets])
        return {targets[row["target"]]: row["actor"] for row in rows}
