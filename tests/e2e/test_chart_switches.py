"""The API server takes every object of the chart, whatever is switched on; nothing is made.

The cluster of the tests enforces no NetworkPolicy: tests/unit/test_chart_network.py asks a model of what they say.
"""

import yaml

from tests.cluster import Cluster
from tests.e2e.installation import RELEASE, install_custom_resource
from tests.unit import chart
from tests.unit.test_chart_network import NARROW, WIDE
from tests.unit.test_chart_production import RUNNERS

OF_OTHERS = {"PodMonitor", "HTTPRoute"}
"""Kinds that this cluster does not know."""
VALUES = {
    "least": chart.LEAST,
    "everything": chart.API,
    "files on a volume": chart.LOCAL,
    "OpenShift": (chart.CHART / "openshift.yaml").read_text() + chart.LEAST,
    "production": chart.PRODUCTION + RUNNERS + "database: {caConfigMap: ca, sslMode: verify-full}",
    "narrow network": NARROW,
    "wide network": WIDE,
}


def test_the_api_server_takes_every_switch(cluster: Cluster) -> None:
    """In a namespace that enforces the restricted Pod Security Standard, without a warning."""
    install_custom_resource(cluster)
    with cluster.namespace("affirm-switches") as namespace:
        for name, values in VALUES.items():
            place = (RELEASE, str(chart.CHART), "--namespace", namespace, "--values", "-")
            rendered = yaml.safe_load_all(chart.helm("template", *place, values=values))
            objects = [one for one in rendered if one and one["kind"] not in OF_OTHERS]
            said = cluster.kubectl(
                *("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=strict"),
                *("--namespace", namespace, "--filename", "-"),
                input=yaml.safe_dump_all(objects),
            )
            assert said.count("(server dry run)") == len(objects), name
