"""A short chaos, on the cluster that the other tests use; `make chaos-cluster` is the long one."""

from pathlib import Path

import pytest

from tests.chaos_cluster.__main__ import settings_of, show
from tests.chaos_cluster.run import chaos
from tests.cluster import Cluster
from tests.e2e.installation import Servers, installed

DATASETS, CONTROLLERS, MAXIMUM = 12, 3, 4


async def test_nothing_is_lost_or_doubled_and_the_maximum_holds_while_everything_is_killed(
    cluster: Cluster, servers: Servers, product_images: str, tmp_path: Path
) -> None:
    if not cluster.disposable:
        pytest.skip("kills processes of this host, and crashes the database")
    with installed(cluster, servers, product_images, "chaos", *settings_of(CONTROLLERS, MAXIMUM)) as installation:
        report = await chaos(installation, servers, tmp_path, datasets=DATASETS, maximum=MAXIMUM, seed=7)
    show(report)
    assert report.figures.good, report.wrong
    assert report.figures.faults > 0
    assert report.most_runs == MAXIMUM, "else the maximum was not put to the test"
