"""Files in any S3 bucket, with the credentials that botocore finds; not only in the one of storage."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from dataset_jobs.storage import StorageConfig
from services.sources.source import LocalFile, Tell, copy, named_file, so_far

SCHEME = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class S3Server:
    """Which server has the buckets.

    Args:
        region: or empty for what botocore finds.
        endpoint: of a server other than AWS, or empty.
    """

    region: str = ""
    endpoint: str = ""

    def bucket_of(self, uri: str) -> StorageConfig:
        """The storage that has the file; raises InvalidRequest."""
        bucket, slash, _ = uri.removeprefix(SCHEME).partition("/")
        if not slash or not _BUCKET.fullmatch(bucket) or one_line(uri) != uri:
            raise InvalidRequest(f"{one_line(uri)}: expected s3://bucket/key, or s3://bucket/folder/ for all in it")
        return StorageConfig("s3", bucket=bucket, region=self.region, endpoint=self.endpoint)


@dataclass(frozen=True, slots=True)
class FileInBucket:
    """A file in a bucket.

    Args:
        shown: its URI.
        server: has it.
        most_bytes: a larger one is refused.
        name: another name to submit it under.
    """

    shown: str
    server: S3Server
    most_bytes: int
    name: str | None = None

    @contextmanager
    def fetch(self, tell: Tell) -> Iterator[LocalFile]:
        """See `Source.fetch`."""
        from dataset_jobs.storage.s3 import S3Storage

        storage = S3Storage(self.server.bucket_of(self.shown))
        with named_file(self.name or self.shown.rpartition("/")[2]) as path:
            with storage.open(self.shown) as content, machine_errors(f"store {self.shown}"):
                copy(
                    content, path, self.shown, self.most_bytes,
                    lambda size: tell(f"fetching {self.shown}: {so_far(size, None)}"),
                )  # fmt: skip
            yield LocalFile(path)


def keys_below(uri: str, server: S3Server) -> list[str]:
    """What lies below `s3://bucket/folder/`, as paths relative to it, in order. Raises as storage does."""
    from dataset_jobs.storage.s3 import S3Storage

    folder = uri.removeprefix(SCHEME).partition("/")[2].rstrip("/")
    found = S3Storage(server.bucket_of(uri)).listed(folder)
    return sorted(file.uri[len(uri) :] for file in found)
