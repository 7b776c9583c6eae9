"""The STORAGE_* settings, without pydantic: the runner reads them too, and has to start fast."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import urlsplit

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, RunError
from dataset_jobs.storage.keys import checked

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_REGION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """Where files are kept. Holds no credentials: those are read by botocore, from AWS_* or an IAM role.

    Args:
        type: which of the two kinds.
        path: `local`: the folder, absolute. It is not made here: one that is missing may be a volume that
            is not mounted.
        bucket: `s3`: the bucket's name.
        region: `s3`: its region, or empty for what botocore finds.
        endpoint: `s3`: the http(s) URL of a server other than AWS, or empty.
        prefix: `s3`: put before every key, without slashes at its ends, or empty.
    """

    type: Literal["local", "s3"]
    path: Path | None = None
    bucket: str = ""
    region: str = ""
    endpoint: str = ""
    prefix: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str], default_path: Path | None = None) -> "StorageConfig":
        """Reads the settings of the chosen kind; an empty value counts as unset.

        Args:
            env: the environment, or part of it.
            default_path: the folder to use where STORAGE_PATH is not set.

        Raises:
            Misconfigured: names the variable, its value and the allowed values.
        """

        def value(name: str) -> str:
            return env.get(name, "").strip()

        kind = value("STORAGE_TYPE") or "local"
        if kind == "local":
            path = Path(value("STORAGE_PATH")) if value("STORAGE_PATH") else default_path
            if path is None or "\0" in str(path):
                _refuse("STORAGE_PATH", value("STORAGE_PATH"), "the folder that keeps the files")
            try:
                return cls("local", path=path.absolute())
            except FileNotFoundError:  # the current folder is gone
                _refuse("STORAGE_PATH", value("STORAGE_PATH"), "an absolute path, since the current folder is gone")
        if kind != "s3":
            _refuse("STORAGE_TYPE", kind, "local or s3")
        return cls(
            "s3",
            bucket=_bucket(value("STORAGE_S3_BUCKET")),
            region=_region(value("STORAGE_S3_REGION")),
            endpoint=_endpoint(value("STORAGE_S3_ENDPOINT")),
            prefix=_prefix(value("STORAGE_S3_PREFIX")),
        )

    def to_env(self) -> dict[str, str]:
        """The variables that `from_env` reads back into an equal value, without empty ones."""
        values = {
            "STORAGE_TYPE": self.type,
            "STORAGE_PATH": str(self.path) if self.path is not None else "",
            "STORAGE_S3_BUCKET": self.bucket,
            "STORAGE_S3_REGION": self.region,
            "STORAGE_S3_ENDPOINT": self.endpoint,
            "STORAGE_S3_PREFIX": self.prefix,
        }
        return {name: value for name, value in values.items() if value}


def _refuse(name: str, value: str, allowed: str) -> NoReturn:
    found = f"is {value!r}" if value else "is not set"
    raise Misconfigured(f"{name} {found}; allowed: {allowed}", Reason.CONFIG)


def _bucket(value: str) -> str:
    if not _BUCKET.fullmatch(value):
        _refuse("STORAGE_S3_BUCKET", value, "a bucket's name, 3 to 63 letters, digits, dots and hyphens")
    return value


def _region(value: str) -> str:
    if value and not _REGION.fullmatch(value):
        _refuse("STORAGE_S3_REGION", value, "a region such as eu-central-1, or nothing")
    return value


def _endpoint(value: str) -> str:
    if not value:
        return ""
    allowed = "http:// or https://, a host and perhaps a port, without credentials, query or fragment, or nothing"
    # Everything before an @ may be a password, even if the URL is too malformed to be parsed.
    _, at, rest = value.rpartition("@")
    shown = f"{'***@' if at else ''}{rest}".partition("?")[0]
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or parts.port is None)
    except ValueError:
        good = False
    if not good or "@" in value or "?" in value or "#" in value or not value.isprintable() or " " in value:
        _refuse("STORAGE_S3_ENDPOINT", shown, allowed)
    return value.rstrip("/")


def _prefix(value: str) -> str:
    prefix = value.strip("/")
    try:
        return checked(prefix) if prefix else ""
    except RunError:
        _refuse("STORAGE_S3_PREFIX", value, "names with slashes between them, none of them . or .., or nothing")
