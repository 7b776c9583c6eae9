"""The rule that nothing is built, fetched or installed inside a test: only the step `make prepare` may.

A build in the middle of a test takes minutes, and the test's time-outs run out meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.errors import NotPrepared

# Not a context variable: what the step starts may build in other threads.
_is_allowed = False


@contextmanager
def allowed() -> Iterator[None]:
    """Allow this process to build; the step does, and nobody else."""
    global _is_allowed  # noqa: PLW0603
    before, _is_allowed = _is_allowed, True
    try:
        yield
    finally:
        _is_allowed = before


def require(what: str) -> None:
    """Call this before something is built, fetched or installed.

    Args:
        what: its name, for the message.

    Raises:
        NotPrepared: this process may not build.
    """
    if not _is_allowed:
        raise NotPrepared(what)
