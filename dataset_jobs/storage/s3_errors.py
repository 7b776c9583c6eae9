"""Turns what botocore raises into the errors of the model.

No message of botocore's own is kept: it may quote the endpoint, an access key id or a role. The error's name
and code say what happened.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import urllib3.exceptions
from botocore import exceptions as boto

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, Forbidden, Misconfigured, RunError, Unavailable

# A bucket does not vanish and come back by itself, as a volume does: its name, region or account is wrong. Its
# absence says nothing about the file, so it must neither read as FileMissing nor use up attempts.
_MISCONFIGURED_CODES = {
    "NoSuchBucket",
    "InvalidBucketName",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
}
_FORBIDDEN_CODES = {
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
}
# Told by the server with a 400, though the next try may pass: throttled, or broken on the way.
_TEMPORARY_CODES = {
    "Throttling",
    "ThrottlingException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "RequestTimeout",
    "IncompleteBody",
    "BadDigest",
    "XAmzContentSHA256Mismatch",
    "OperationAborted",
    "IDPCommunicationError",
}
_TEMPORARY_STATUS = {404, 408, 409, 425, 429}
_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.NoAuthTokenError,
    boto.TokenRetrievalError,
    boto.SSOError,
)
_BROKEN = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    boto.ChecksumError,
    boto.FlexibleChecksumError,
    # The service that hands out the role's credentials did not answer.
    boto.MetadataRetrievalError,
    boto.CredentialRetrievalError,
)


@contextmanager
def s3_errors(uri: str) -> Iterator[None]:
    """Around every use of the client.

    Raises:
        FileMissing: the server itself says NoSuchKey.
        Forbidden: 401, 403, or no valid credentials.
        Misconfigured: no such bucket, wrong region, a request the server cannot take, unreadable AWS settings.
        Unavailable: throttling, 5xx, no connection, a timeout, a body that broke off.
    """
    try:
        yield
    except boto.ClientError as error:
        raise of_answer(uri, error) from None
    except _NO_CREDENTIALS as error:
        raise Forbidden(f"storage: {uri}: no valid credentials ({_name(error)})", Reason.STORAGE) from None
    except _BROKEN as error:
        raise Unavailable(f"storage: {uri}: it does not answer ({_name(error)})", Reason.STORAGE) from None
    except boto.BotoCoreError as error:
        raise Misconfigured(f"storage: {uri}: wrong AWS settings ({_name(error)})", Reason.CONFIG) from None


@contextmanager
def body_errors(uri: str) -> Iterator[None]:
    """Around every read of a body: as `s3_errors`, and what urllib3 and the socket raise past botocore."""
    try:
        with s3_errors(uri):
            yield
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(f"storage: {uri}: the body broke off ({_name(error)})", Reason.STORAGE) from None


def of_answer(uri: str, error: boto.ClientError) -> RunError:
    """The error for an answer of the server: by its code first, then by its HTTP status."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"storage: {uri}: {error.operation_name} was answered with {code or 'an error'} (HTTP {status})"
    if code == "NoSuchKey":
        return FileMissing(f"storage: there is no file {uri}", Reason.FILE_NOT_FOUND)
    if code in _MISCONFIGURED_CODES:
        return Misconfigured(said, Reason.CONFIG)
    if code in _FORBIDDEN_CODES or status in (401, 403):
        return Forbidden(said, Reason.STORAGE)
    # A 404 without S3's own code is a proxy's: it does not say that the file is gone.
    if code in _TEMPORARY_CODES or status in _TEMPORARY_STATUS or not 300 <= status < 500:
        return Unavailable(said, Reason.STORAGE)
    return Misconfigured(said, Reason.CONFIG)


def _name(error: Exception) -> str:
    return type(error).__name__
