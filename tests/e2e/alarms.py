"""A real Prometheus with the chart's own alerts, which scrapes a controller in the cluster."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.forwarding import forwarded
from tests.e2e.installation import RELEASE, Installation
from tests.servers.prometheus import Prometheus
from tests.unit import chart

BLOCKED = "AffirmWorkerPoolBlocked"
VALUES = f"""
{chart.LEAST}
prometheusRule: {{enabled: true, selector: job="controller", for: {{{BLOCKED}: 0s}}}}
"""
"""At once instead of after minutes."""


@contextmanager
def scraped(installation: Installation, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the controller's pod."""
    folder.mkdir()
    groups: list[dict[str, Any]] = chart.only("PrometheusRule", VALUES)["spec"]["groups"]
    with (
        forwarded(installation, f"deployment/{RELEASE}", 8080) as port,
        Prometheus(folder, {"controller": port}, groups) as prometheus,
    ):
        yield prometheus


def blocked_alert(installation: Installation, folder: Path, fires: bool) -> str:
    """Waits until the alert of a blocked pool fires, or does not any more; returns what it says.

    Empty where this machine has no Prometheus.
    """
    if shutil.which("prometheus") is None:
        return ""
    with scraped(installation, folder) as prometheus:
        seen: list[str] = []

        def holds() -> bool:
            figures = [float(one["value"][1]) for one in prometheus.query("affirm_worker_pool_blocked")]
            alerts = [one for one in prometheus.alerts() if one["labels"]["alertname"] == BLOCKED]
            seen[:] = [one["annotations"]["description"] for one in alerts]
            return figures == [float(fires)] and bool(seen) is fires

        installation.cluster.wait(holds, f"{BLOCKED} to {'fire' if fires else 'be over'}", seconds=90)
        return "".join(seen)
