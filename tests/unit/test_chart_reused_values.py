"""`helm upgrade --reuse-values`: this chart's templates with the values of every older chart.

Helm brings no newer key then, not even its default. `older_values` has the values.yaml of each older chart that had
other keys, without its comments.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.runner_config import read_runner_config
from tests.unit import chart

OLDER = sorted((Path(__file__).parent / "older_values").glob("*.yaml"))
EVERY = pytest.mark.parametrize("older", OLDER, ids=lambda path: path.stem)


def of_kind(kind: str, rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for found in rendered if found["kind"] == kind]


@EVERY
def test_values_of_each_older_chart_render(older: Path, tmp_path: Path) -> None:
    """With what newer charts can watch, too."""
    values = f"{chart.LEAST}\nmetrics: {{podMonitor: {{enabled: true}}, scrapeAnnotations: true}}"
    rendered = chart.reused(older, values, tmp_path)
    [controller] = of_kind("Deployment", rendered)
    pod = controller["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
    (tmp_path / "runner.json").write_text(of_kind("ConfigMap", rendered)[0]["data"]["runner.json"])
    assert read_runner_config(tmp_path / "runner.json").image
    assert (len(of_kind("ServiceAccount", rendered)), len(of_kind("PodMonitor", rendered))) == (2, 1)


@EVERY
def test_an_api_of_older_values_works_or_helps(older: Path, tmp_path: Path) -> None:
    """It says which option of helm brings the defaults that are missing."""
    if "api" in yaml.safe_load(older.read_text()):
        assert len(of_kind("Deployment", chart.reused(older, chart.LEAST_API, tmp_path))) == 2
        return
    with pytest.raises(chart.Refused, match=r"api\.enabled: .* upgrade with --reset-then-reuse-values"):
        chart.reused(older, chart.LEAST_API, tmp_path)
