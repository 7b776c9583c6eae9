"""What a client says that the bytes hash to: the header Content-Digest (RFC 9530), and the field `sha256`."""

import base64
import binascii
import hashlib
import re

from api.problems import Problem

_SHA_256 = re.compile(r"(?:^|,)\s*sha-256\s*=(?:\s*:([^:,]*):)?", re.IGNORECASE)


class ContentDigest:
    """Checks the content of a request against its header; other algorithms than sha-256 are passed over.

    Args:
        header: Content-Digest, or None.
    """

    def __init__(self, header: str | None) -> None:
        self._said: bytes | None = None
        self._digest = hashlib.sha256()
        found = _SHA_256.search(header or "")
        if found is not None:
            try:
                self._said = base64.b64decode(found[1] or "", validate=True)
            except (binascii.Error, ValueError):
                self._said = b""  # no hash is that

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to check."""
        return self._said is not None

    def update(self, block: bytes) -> None:
        """Takes the next bytes of the content."""
        if self.is_asked:
            self._digest.update(block)

    def check(self) -> None:
        """Raises Problem if it is not what the header says."""
        if self._said is not None and self._said != self._digest.digest():
            got = base64.b64encode(self._digest.digest()).decode()
            raise _mismatch(f"the body hashes to sha-256=:{got}:, which is not what Content-Digest says")


def check_sha256(said: str | None, sha256: str) -> None:
    """Raises Problem if the file's hash is not the one that the client gave."""
    if said is not None and said != sha256:
        raise _mismatch(f"the file that came hashes to {sha256}, which is not what the field sha256 says")


def _mismatch(why: str) -> Problem:
    return Problem("digest-mismatch", f"{why}; nothing was kept: send it again")
