"""What `make bench-nodes` makes of what it sees: counts of machines, the time they were held, and the plot."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest

from benchmarks import bench_nodes, nodes_plot
from benchmarks.nodes_timeline import Look, Machines, node_seconds, spread, takes_pods
from controller.pools.runner_pod import job_manifest
from controller.runner_config import read_runner_config
from dataset_jobs.model.keys import RunKey
from tests.cluster import karpenter, kwok

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def event(kind: str, name: str, labels: dict[str, str] = kwok.LABEL, *taints: dict[str, str]) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    about = {"metadata": {"name": name, "labels": labels}, "spec": {"taints": [*taints]}, "status": status}
    return {"type": kind, "object": about}


def look(at: float, **counts: int) -> Look:
    given = dict.fromkeys(("waiting", "pending", "running", "unfinished", "ordered", "ready"), 0) | counts
    return Look(at, **given)


def test_a_machine_counts_from_its_order_until_it_is_given_back() -> None:
    machines = Machines()
    for at, kind in ((1, "ADDED"), (2, "MODIFIED"), (3, "ADDED")):
        machines.claim(event(kind, "a"), at)
    assert machines.counts() == (1, 0) and machines.ordered == {"a": 1}
    machines.claim(event("DELETED", "a"), 9)
    assert machines.counts() == (0, 0) and machines.given_back == {"a": 9}


def test_a_node_counts_once_it_takes_pods() -> None:
    machines = Machines()
    machines.node(event("ADDED", "a", kwok.LABEL, kwok.TAINT, NOT_READY), 1)
    assert machines.counts() == (0, 0)
    machines.node(event("MODIFIED", "a", kwok.LABEL, kwok.TAINT), 2)
    machines.node(event("MODIFIED", "a", kwok.LABEL, kwok.TAINT), 3)
    assert machines.counts() == (0, 1) and machines.ready == {"a": 2}
    machines.node(event("DELETED", "a"), 4)
    assert machines.counts() == (0, 0) and machines.gone == {"a": 4}


def test_a_node_that_says_nothing_of_itself_takes_no_pods() -> None:
    told = event("ADDED", "a", kwok.LABEL, kwok.TAINT)
    told["object"]["status"] = {}
    assert not takes_pods(told["object"])


def test_the_clusters_own_node_is_none_of_karpenters() -> None:
    machines = Machines()
    machines.node(event("ADDED", "node1", {"kubernetes.io/os": "linux"}), 1)
    assert machines.counts() == (0, 0)


def test_machine_time_is_what_is_ordered_times_its_seconds() -> None:
    looks = [look(0), look(2, ordered=3), look(4, ordered=3), look(5, ordered=1), look(9)]
    assert node_seconds(looks) == 3 * 2 + 3 * 1 + 1 * 4
    assert node_seconds(looks[:1]) == 0


def test_spread_has_the_median_and_nearly_the_worst() -> None:
    assert spread([float(number) for number in range(1, 101)]) == (50.5, 96.0)
    assert spread([2.0]) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("most", "wanted"),
    [
        (1, [0, 1]),
        (4, [0, 1, 2, 3, 4]),
        (15, [0, 5, 10, 15]),
        (100, [0, 50, 100]),
        (163.4, [0, 50, 100, 150]),
        (200, [0, 50, 100, 150, 200]),
    ],
)
def test_the_axis_has_few_round_marks(most: float, wanted: list[int]) -> None:
    assert nodes_plot.marks(most) == wanted


def test_a_line_has_a_point_at_each_change_and_ends_at_the_right() -> None:
    drawn = nodes_plot.line([look(0), look(5, running=2), look(6, running=2), look(10)], "running", 100, 50, 2)
    middle = nodes_plot.LEFT + (nodes_plot.WIDTH - nodes_plot.LEFT - nodes_plot.RIGHT) / 2
    end = nodes_plot.WIDTH - nodes_plot.RIGHT
    [path] = re.findall(r' d="([^"]+)"', drawn)
    assert path == f"M{nodes_plot.LEFT:.1f} 100.0H{middle:.1f}V50.0H{end:.1f}V100.0H{end}"


def test_the_plot_has_a_panel_for_each_phase() -> None:
    looks = [look(0, waiting=9), look(5, running=9, ready=2, ordered=2), look(10)]
    drawn = ElementTree.fromstring(nodes_plot.svg(dict.fromkeys(nodes_plot.TITLES.values(), looks)))
    titles = [one.text for one in drawn.iter() if one.get("font-weight") == "bold"]
    assert titles == [*nodes_plot.TITLES.values()]
    assert len([one for one in drawn.iter() if one.get("stroke-width")]) == 5 * len(titles)


def test_a_run_fits_the_machines_that_karpenter_may_order(tmp_path: Path) -> None:
    """Otherwise its pod would wait for ever, or go to the cluster's own node."""
    config = tmp_path / "runner.json"
    config.write_text(json.dumps(bench_nodes.pods({"karpenter.sh/do-not-disrupt": "false"})))
    template = read_runner_config(config)
    job = job_manifest(RunKey(UUID(int=1), 1), UUID(int=2), "default", UUID(int=3), template)
    pod = job["spec"]["template"]
    pool = karpenter.node_pool(bench_nodes.MACHINE)["spec"]["template"]
    assert pod["spec"]["nodeSelector"].items() <= pool["metadata"]["labels"].items()
    tolerated = {one["key"] for one in pod["spec"]["tolerations"]}
    assert {one["key"] for one in pool["spec"]["taints"]} <= tolerated
    assert pod["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"] == "false", "a pool may say otherwise"
