"""The demonstration on a cluster knows every alert, and makes the rules shorter as it says."""

import re

import yaml

from tests.cluster_alarms.causes import ONE_BY_ONE, SIDE_BY_SIDE
from tests.cluster_alarms.rules import THRESHOLDS, sooner
from tests.cluster_alarms.watch import PREFIX
from tests.unit import chart

GROUPS = yaml.safe_load((chart.CHART / "files" / "alerts.yaml").read_text())["groups"]


def test_the_cluster_demonstration_provokes_each_alert_once() -> None:
    provoked = [PREFIX + name for cause in (*SIDE_BY_SIDE, *ONE_BY_ONE) for name in cause.alerts]
    assert sorted(provoked) == sorted(rule["alert"] for group in GROUPS for rule in group["rules"])


def test_its_rules_have_seconds_where_the_charts_have_minutes() -> None:
    for group, short in zip(GROUPS, sooner(GROUPS), strict=True):
        for rule, made in zip(group["rules"], short["rules"], strict=True):
            windows = re.findall(r"\[(\d+)m\]", rule["expr"])
            assert re.findall(r"\[(\w+)\]", made["expr"]) == [f"{minutes}s" for minutes in windows]
            assert made.get("for") == {"1d": "24s"}.get(rule.get("for"), rule.get("for", "").replace("m", "s") or None)
            assert re.sub(r"\[\w+\]", "", made["expr"]) == re.sub(r"\[\w+\]", "", rule["expr"])


def test_its_thresholds_are_those_of_the_chart() -> None:
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())["prometheusRule"]["thresholds"]
    assert {name for name in values if name.endswith("Seconds")} == THRESHOLDS.keys()
