"""Who starts and stops a test cluster, with a provider that only counts."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster import Cluster, Unavailable, lifecycle


class Counting:
    """A provider whose cluster is a flag."""

    def __init__(self, reason: str | None = None) -> None:
        self.NAME = "counting"
        self.reason = reason
        self.starts = 0
        self.cluster: Cluster | None = None

    def why_not(self) -> str | None:
        return self.reason

    def running(self) -> Cluster | None:
        return self.cluster

    def start(self) -> Cluster:
        self.starts += 1
        self.cluster = Cluster("counting", Path(), True, "", "", lambda tag, archive: None)
        return self.cluster

    def stop(self) -> None:
        self.cluster = None


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counting:
    monkeypatch.setattr(lifecycle, "state_dir", lambda: tmp_path / "state")
    return Counting()


def test_a_session_stops_the_cluster_that_it_started(provider: Counting) -> None:
    with lifecycle.session(provider):
        assert provider.running()

    assert not provider.running()


def test_sessions_share_a_cluster_and_the_last_one_stops_it(provider: Counting) -> None:
    with ExitStack() as second:
        with lifecycle.session(provider):
            second.enter_context(lifecycle.session(provider))
        assert provider.running()

    assert (provider.starts, provider.running()) == (1, None)


def test_a_cluster_started_by_hand_outlives_the_sessions_that_use_it(provider: Counting) -> None:
    lifecycle.up(provider)

    with lifecycle.session(provider):
        pass

    assert (provider.starts, bool(provider.running())) == (1, True)


def test_a_cluster_that_was_stopped_by_hand_is_not_kept_the_next_time(provider: Counting) -> None:
    lifecycle.up(provider)
    lifecycle.down([provider])

    with lifecycle.session(provider):
        pass

    assert (provider.starts, provider.running()) == (2, None)


def test_the_first_possible_provider_is_chosen_and_otherwise_every_reason_is_said() -> None:
    possible = Counting()

    assert lifecycle.choose([Counting("no engine"), possible, Counting()]) is possible
    with pytest.raises(Unavailable, match=r"no engine.*not root"):
        lifecycle.choose([Counting("no engine"), Counting("not root")])
