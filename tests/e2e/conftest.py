"""What end-to-end tests share: a real Kubernetes."""

import os
from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, Unavailable, acquire, images
from tests.e2e.installation import installation, product_images, servers

__all__ = ["cluster", "installation", "product_images", "python_image", "servers"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running Kubernetes: the one given, the one left running, or one started for this session.

    Skips, saying why, where none is possible; with CI set it fails instead, so that no skip goes unseen.
    """
    try:
        with acquire() as running:
            yield running
    except Unavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def python_image(cluster: Cluster) -> str:
    """An image with python3 that the cluster's nodes have."""
    tag = images.builder().base()
    images.load(cluster, tag)
    return tag
