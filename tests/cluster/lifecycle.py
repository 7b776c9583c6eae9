"""Who starts a cluster, who shares it, and who stops it."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from tests.cluster import existing, kind, local
from tests.cluster.api import Cluster
from tests.cluster.errors import Unavailable
from tests.cluster.paths import locked, state_dir


class Provider(Protocol):
    """A way to a cluster. Those that start one keep what they must remember in the state folder."""

    NAME: str

    def why_not(self) -> str | None:
        """Why it is not possible here, or None."""

    def running(self) -> Cluster | None:
        """The cluster that already runs and is healthy."""

    def start(self) -> Cluster:
        """Start one anew; nothing may be running."""

    def stop(self) -> None:
        """Stop it; nothing to do is no error."""


PROVIDERS: tuple[Provider, ...] = (existing, kind, local)


def choose(providers: Sequence[Provider] = PROVIDERS) -> Provider:
    """The first provider that is possible here.

    Raises:
        Unavailable: none is; the message has each one's reason.
    """
    reasons: list[str] = []
    for provider in providers:
        why = provider.why_not()
        if why is None:
            return provider
        reasons.append(why)
    raise Unavailable("; ".join(reasons))


def up(provider: Provider) -> Cluster:
    """Start a cluster to be kept until down(), or take the one that runs and keep it.

    Raises:
        ClusterError: it did not start.
    """
    with _lock():
        cluster = provider.running() or provider.start()
        _keep().touch()
    return cluster


def down(providers: Sequence[Provider] = PROVIDERS) -> None:
    """Stop whatever was started, no matter who uses it; nothing to do is no error."""
    with _lock():
        _keep().unlink(missing_ok=True)
        for provider in providers:
            provider.stop()


@contextmanager
def session(provider: Provider) -> Iterator[Cluster]:
    """A cluster for one test session; several sessions share one, and the last stops it unless it should stay."""
    with _beside("users").open("w") as users:
        with _lock():
            cluster = provider.running() or provider.start()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield cluster
        finally:
            with _lock():
                if _is_last(users.fileno()) and not _keep().exists():
                    provider.stop()


@contextmanager
def acquire() -> Iterator[Cluster]:
    """The best cluster to be had here, for one test session.

    Raises:
        Unavailable: none is possible here.
        NotPrepared: it is possible, and something that it needs is not built.
        ClusterError: it did not start.
    """
    with session(choose()) as cluster:
        yield cluster


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock() -> AbstractContextManager[None]:
    return locked(_beside("lock"))


def _keep() -> Path:
    return _beside("keep")


def _beside(suffix: str) -> Path:
    """A file beside the state folder, which itself comes and goes with the cluster."""
    folder = state_dir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder.with_name(f"{folder.name}.{suffix}")
