"""Acts in words, as people read the audit."""

from collections.abc import Mapping
from typing import Any

from dataset_jobs.model.actor import Act
from services.audit import AuditEntry

ACTS: Mapping[Act, str] = {
    Act.DATASET_SUBMIT: "submitted",
    Act.DATASET_REPROCESS: "had loaded again",
    Act.DATASET_DELETE: "deleted",
    Act.JOB_CANCEL: "cancelled",
    Act.JOB_RETRY: "retried",
    Act.JOB_SET: "changed",
    Act.JOB_PURGE: "purged old jobs",
    Act.POOL_PAUSE: "paused",
    Act.POOL_RESUME: "resumed",
    Act.POOL_PROBE: "probed",
    Act.POOL_SET: "changed",
    Act.SCHEDULE_ADD: "added",
    Act.SCHEDULE_CHANGE: "changed",
    Act.SCHEDULE_REMOVE: "removed",
    Act.SCHEDULE_PAUSE: "paused",
    Act.SCHEDULE_RESUME: "resumed",
    Act.SCHEDULE_RUN: "ran",
    Act.COUNTRY_ADD: "added",
    Act.COUNTRY_CHANGE: "changed",
    Act.COUNTRY_REMOVE: "removed",
    Act.KEY_MAKE: "made",
    Act.KEY_REVOKE: "revoked",
    Act.KEY_LOGIN: "logged in with",
    Act.KEY_LOGOUT: "logged out of",
    Act.KEY_REFUSE: "tried to log in",
    Act.STORAGE_CLEAN: "cleaned the storage",
    Act.OPERATION_START: "started",
    Act.OPERATION_CANCEL: "cancelled",
}
"""What somebody has done, before the name of what they did it to."""

_KNOWN = {str(act): words for act, words in ACTS.items()}


def done(entry: AuditEntry) -> str:
    """What somebody did; the act as it is for one of a newer version."""
    return _KNOWN.get(entry.action, entry.action)


def more(entry: AuditEntry) -> str:
    """What else the audit has of it: details, with those left out that say nothing."""
    said = [f"{name.replace('_', ' ')}: {_value(value)}" for name, value in entry.detail.items() if value]
    return "; ".join([*([] if entry.result == "done" else [entry.result]), *said])


def _value(value: Any) -> str:
    """A value, or what it was before and has become."""
    if isinstance(value, Mapping) and value.keys() == {"from", "to"}:
        return f"{value['to']} instead of {value['from']}"
    return str(value)
