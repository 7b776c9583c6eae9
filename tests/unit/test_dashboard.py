"""The dashboard for Grafana, as the chart hands it on; tests/integration/test_alarms.py runs its queries."""

import json
import re
from typing import Any

import pytest

from api.metrics import ApiMetrics
from controller.metrics import Metrics
from tests.unit import chart

FILE = chart.CHART / "files" / "dashboard.json"
ON = chart.LEAST + "\ngrafanaDashboard: {enabled: true%s}"


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def made(values: str) -> dict[str, Any]:
    [found] = [one for one in chart.objects(values) if one["metadata"]["name"].endswith("-dashboard")]
    return found


def test_the_sidecar_of_grafana_finds_it() -> None:
    found = made(ON % "")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["namespace"] == "affirm-worker"
    assert json.loads(found["data"]["affirm-worker.json"]) == dashboard()


def test_labels_annotations_and_namespace_are_the_values() -> None:
    metadata = made(ON % ", labels: {dash: x}, annotations: {grafana_folder: Names}, namespace: monitoring")["metadata"]
    assert metadata["labels"]["dash"] == "x"
    assert (metadata["annotations"], metadata["namespace"]) == ({"grafana_folder": "Names"}, "monitoring")


@pytest.mark.parametrize("values", [chart.LEAST, chart.API, chart.LEAST + "\ngrafanaDashboard: null"])
def test_there_is_none_unless_it_is_asked_for(values: str) -> None:
    assert not [one for one in chart.objects(values) if one["metadata"]["name"].endswith("-dashboard")]


def test_every_metric_of_ours_has_a_place_and_no_other() -> None:
    names = {one.name for metrics in (Metrics(), ApiMetrics()) for one in metrics.described}
    asked = set(re.findall(r"affirm_worker_\w+", FILE.read_text()))
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} == names


def test_panels_have_a_place_a_title_and_the_chosen_data_source() -> None:
    panels = dashboard()["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for one in panels:
        place = one["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, one["title"]
        taken |= cells
        assert one["title"]
        for target in one.get("targets", ()):
            assert target["datasource"] == one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert re.search(r"job=~\"\$(api_)?job\"", target["expr"])
