"""Checks of storage: a small object is written, read and removed, below a folder that nothing else uses."""

import io
import shlex
import time
import uuid

from dataset_jobs.model.errors import FileMissing, Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from services.checks.findings import Finding, Fix, failed, ok, warning, wrong

FOLDER = "affirm-doctor"
"""No country has this code, so no dataset lies there."""

LEFT_AFTER_SECONDS = 600
"""An object that is older was left by a check that died."""

_CONTENT = b"written by affirm-worker doctor; may be removed\n"


def check_storage(config: StorageConfig, now: float | None = None) -> list[Finding]:
    """Whether files can be written, read, listed and removed. Removes what earlier checks have left.

    Args:
        config: the STORAGE_* settings.
        now: seconds since the epoch.
    """
    place = str(config.path) if config.type == "local" else f"s3://{config.bucket}/{config.prefix}".rstrip("/")
    now = time.time() if now is None else now
    try:
        storage = open_storage(config)
        uri = storage.put(f"{FOLDER}/{now:.0f}-{uuid.uuid4().hex}", io.BytesIO(_CONTENT))
    except RunError as error:
        return [_refused(error, config, "written to")]
    try:
        with storage.open(uri) as file:
            if file.read() != _CONTENT:
                return [wrong(f"{place}: other bytes come back than were written")]
        found = _listing(storage, config, now)
    except FileMissing:
        return [wrong(f"{place}: what was written is not there a moment later")]
    except RunError as error:
        return [_refused(error, config, "read")]
    finally:
        removed = _removed(storage, uri)
    return found + ([removed] if removed else []) or [ok(f"{place}: written, read, listed and removed a small file")]


def _removed(storage: Storage, uri: str) -> Finding | None:
    try:
        storage.delete(uri)
    except RunError as error:
        return warning(f"files can be written and not removed, so the files of deleted datasets stay: {error}")
    return None


def _listing(storage: Storage, config: StorageConfig, now: float) -> list[Finding]:
    """Removes leftovers. Who may not list cannot look at folders, which schedules do."""
    try:
        for file in storage.files(FOLDER):
            made = file.name.partition("-")[0]
            if made.isdecimal() and int(made) < now - LEFT_AFTER_SECONDS:
                storage.delete(file.uri)
    except (Forbidden, Misconfigured) as error:
        return [warning(f"folders cannot be listed, which schedules need: {error}")]
    return []


def _refused(error: RunError, config: StorageConfig, what: str) -> Finding:
    if config.type == "s3":
        return _refused_by_s3(error, config)
    path = shlex.quote(str(config.path))
    if isinstance(error, Forbidden):
        return wrong(
            f"{config.path} cannot be {what}: {error}",
            Fix(shell=f"chmod u+rwx {path}", by="the folder's owner, who must be the user of affirm-worker"),
        )
    if isinstance(error, Unavailable) and config.path is not None and not config.path.exists():
        return wrong(f"{error}", Fix(shell=f"mkdir -p {path}", by="its owner, if it is no volume to mount"))
    return failed(error)


def _refused_by_s3(error: RunError, config: StorageConfig) -> Finding:
    endpoint = f" --endpoint-url {shlex.quote(config.endpoint)}" if config.endpoint else ""
    if isinstance(error, Misconfigured) and "NoSuchBucket" in str(error):
        return wrong(str(error), Fix(shell=f"aws s3 mb s3://{config.bucket}{endpoint}"))
    if isinstance(error, Forbidden):
        keys = "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…"
        return wrong(str(error), Fix(shell=keys, by="whoever has keys that may read, write and remove there"))
    return failed(error)
