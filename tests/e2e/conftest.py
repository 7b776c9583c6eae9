"""What end-to-end tests share: a real Kubernetes."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.cluster import Cluster, ClusterError, acquire, images
from tests.e2e.acting_pods import acting_image, namespace, place
from tests.e2e.controllers import controllers_away
from tests.e2e.installation import installation, product_images, servers
from tests.prepare import parts

__all__ = [
    "acting_image",
    "cluster",
    "controllers_away",
    "installation",
    "namespace",
    "place",
    "product_images",
    "python_image",
    "servers",
]


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A running Kubernetes: the one given, the one left running, or one started for this session.

    If it does not start, that is said once and the session ends: no other test can run either.

    Raises:
        NotPrepared: something that one of these tests needs is not built.
    """
    for thing in parts.part("e2e").things:
        thing.make()
    with ExitStack() as stack:
        try:
            running = stack.enter_context(acquire())
        except ClusterError as error:
            request.session.shouldfail = "there is no cluster"
            pytest.fail(f"the cluster did not start: {error}", pytrace=False)
        yield running


@pytest.fixture(scope="session")
def python_image(cluster: Cluster) -> str:
    """An image with python3 that the cluster's nodes have."""
    return images.load(cluster, images.BASE)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every test below this folder needs a Kubernetes."""
    item.add_marker(pytest.mark.needs("kubernetes"))
