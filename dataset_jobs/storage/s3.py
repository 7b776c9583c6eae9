"""Files in an S3 bucket.

Made on botocore, boto3's own foundation: importing boto3 costs 50 to 60 ms of CPU more, at every start of a
runner that only reads one file. The multipart upload is boto3's, and is imported when something is uploaded.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.storage.config import StorageConfig
from dataset_jobs.storage.keys import checked
from dataset_jobs.storage.reader import RawReader, guarded
from dataset_jobs.storage.s3_errors import body_errors, s3_errors
from dataset_jobs.storage.stored_file import StoredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SCHEME = "s3://"
_PART_BYTES = 8 * 1024 * 1024


class S3Storage:
    """`Storage` in a bucket, below a prefix. URIs are `s3://bucket/prefix/key`.

    Credentials are what botocore finds: AWS_* of the environment, its files, or the role of pod or machine.

    Args:
        config: of type `s3`.
    """

    def __init__(self, config: StorageConfig) -> None:
        self._bucket = config.bucket
        self._prefix = f"{config.prefix}/" if config.prefix else ""
        uri = f"{_SCHEME}{config.bucket}"
        try:
            # It reads files of this machine: settings, and what botocore knows of S3.
            with s3_errors(uri), machine_errors("set up the client of S3"):
                self._client = _client(config)
        except ValueError:  # of an endpoint; its message would quote it
            name = "STORAGE_S3_ENDPOINT" if config.endpoint else "AWS_ENDPOINT_URL"
            raise Misconfigured(f"storage: {uri}: {name} has no valid host name", Reason.CONFIG) from None

    def put(self, key: str, content: BinaryIO) -> str:
        """See `Storage.put`.

        Above 8 MiB it is a multipart upload; a process that is killed meanwhile leaves its parts in the
        bucket, where a lifecycle rule (AbortIncompleteMultipartUpload) removes them.
        """
        from boto3.s3.transfer import TransferConfig, create_transfer_manager

        full = checked(self._prefix + checked(key))
        uri = f"{_SCHEME}{self._bucket}/{full}"
        transfers = TransferConfig(
            multipart_threshold=_PART_BYTES,
            multipart_chunksize=_PART_BYTES,
            use_threads=False,
            preferred_transfer_client="classic",  # the other one has threads and buffers of its own
        )
        with s3_errors(uri), create_transfer_manager(self._client, transfers) as manager:
            manager.upload(cast("BinaryIO", _WholeReads(content)), self._bucket, full).result()
        return uri

    def open(self, uri: str) -> BinaryIO:
        """See `Storage.open`."""
        key = self._key(uri)
        with s3_errors(uri):
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        return guarded(cast("RawReader", body), partial(body_errors, uri))  # its stubs misstate `readinto`

    def location(self, given: str) -> str:
        """See `Storage.location`."""
        if given.startswith(_SCHEME):
            return self._key(given.rstrip("/")).removeprefix(self._prefix)
        return checked(given.rstrip("/"))

    def files(self, location: str) -> Iterator[StoredFile]:
        """See `Storage.files`. A folder is what keys with slashes look like: any one may be empty."""
        for file in self.listed(location):
            # One that ends with a slash is what consoles make in the place of a folder.
            below = file.uri.removeprefix(f"{_SCHEME}{self._bucket}/{self._prefix}{location}")
            if not below.endswith("/") and "/." not in below:
                yield file

    def listed(self, location: str) -> Iterator[StoredFile]:
        """As `files`, with hidden ones and with keys that end with a slash; the whole bucket for no location."""
        full = self._prefix + location
        folder = f"{checked(full)}/" if full else ""
        uri = f"{_SCHEME}{self._bucket}/"
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder))
        while True:
            with s3_errors(uri + folder):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", ()):
                key = found["Key"]
                version = f"{found['ETag']} {found['Size']}"
                yield StoredFile(uri + key, key.rpartition("/")[2], version, found["Size"], found["LastModified"])

    def delete(self, uri: str) -> None:
        """See `Storage.delete`."""
        key = self._key(uri)
        with s3_errors(uri):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _key(self, uri: str) -> str:
        bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
        if not uri.startswith(_SCHEME) or bucket != self._bucket:
            raise Misconfigured(
                f"storage: {uri} is not in the bucket {self._bucket} (STORAGE_S3_BUCKET)", Reason.CONFIG
            )
        if not key.startswith(self._prefix):
            raise Forbidden(f"storage: {uri} is not below {self._prefix} (STORAGE_S3_PREFIX)", Reason.STORAGE)
        return checked(key)


class _WholeReads:
    """A source that gives as many bytes as were asked for, unless it ends.

    boto3 takes a short read for the end, and would store the file cut short. It has no `seek`, so that boto3
    reads it part by part before it sends: what goes wrong with the source then comes out as it is, and not as
    a broken connection.
    """

    def __init__(self, content: BinaryIO) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        blocks: list[bytes] = []
        while size and (block := self._content.read(size)):
            blocks.append(block)
            size -= len(block) if size > 0 else 0
        return b"".join(blocks)


class _OnlyS3(Loader):
    """Looks for no other service: botocore goes through the folders of all 400 to see that there is an S3."""

    def list_available_services(self, type_name: str) -> list[str]:
        return ["s3"]


def _client(config: StorageConfig) -> "S3Client":
    own_server = bool(config.endpoint)
    session = botocore.session.Session()
    session.register_component("data_loader", _OnlyS3())
    client = session.create_client(
        "s3",
        region_name=config.region or None,
        endpoint_url=config.endpoint or None,
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            # Only errors that a second try fixes at once; Postgres is the authority on retries.
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path"} if own_server else None,
            # Servers other than AWS may not know the newer checksums. A dataset has its sha256 anyway.
            request_checksum_calculation="when_required" if own_server else "when_supported",
            response_checksum_validation="when_required",
        ),
    )
    return cast("S3Client", client)
