"""The alerts: promtool says when each fires, and the chart hands them on as it is asked to."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.metrics import ApiMetrics
from controller.metrics import Metrics
from docs.generate import metrics as page
from tests.unit import chart
from tests.unit.alert_cases import CASES, Case

FILE = chart.CHART / "files" / "alerts.yaml"
RUNBOOKS = chart.ROOT / "docs" / "runbooks.md"
INSTALLATION = {"namespace": "names", "job": "names/affirm-worker"}
A_DAY = 1440
"""Minutes: promtool would take seconds to look at each."""

ON = chart.LEAST + "\nprometheusRule: {enabled: true%s}"


def alerts(groups: list[dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    """By name; of the file unless groups are given."""
    found = yaml.safe_load(FILE.read_text())["groups"] if groups is None else groups
    return {rule["alert"]: rule for group in found for rule in group["rules"]}


def made(values: str) -> dict[str, dict[str, Any]]:
    """The alerts of the PrometheusRule that the chart makes."""
    return alerts(chart.only("PrometheusRule", values)["spec"]["groups"])


def promtool(*arguments: str | Path) -> str:
    """What promtool says if it is not content; else nothing."""
    done = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout if done.returncode else ""


def failed(folder: Path, courses: dict[str, tuple[str, list[Case]]]) -> dict[str, str]:
    """What promtool says of those courses that went wrong.

    Args:
        folder: for its files.
        courses: rules and cases of each. Only the rules of the cases' alerts are evaluated, without their texts, which
            a real Prometheus tries elsewhere.
    """
    for name, (rules, cases) in courses.items():
        rule = alerts(yaml.load(rules, yaml.CSafeLoader)["groups"])[cases[0].alert]
        del rule["annotations"]
        (folder / f"{name}.rules").write_text(json.dumps({"groups": [{"name": "tried", "rules": [rule]}]}))
        every = "10m" if any(minute > A_DAY / 2 for one in cases for minute in one.fires) else "1m"
        tests = {
            "rule_files": [f"{name}.rules"],
            "evaluation_interval": every,
            "tests": [_test(one, rule) for one in cases],
        }
        (folder / f"{name}.yaml").write_text(json.dumps(tests))
    said = promtool("test", "rules", *(folder / f"{name}.yaml" for name in courses))
    assert "parse error" not in said, said
    parts = re.split(r"^Unit Testing:  .*/(.+)\.yaml$", said, flags=re.MULTILINE)
    return {name: text for name, text in zip(parts[1::2], parts[2::2], strict=True) if "FAILED" in text}


def of(alert: str) -> list[Case]:
    """The cases of an alert."""
    return [one for one in CASES if one.alert == alert]


def _test(case: Case, rule: dict[str, Any]) -> dict[str, Any]:
    labels = ",".join(f"{name}='{value}'" for name, value in INSTALLATION.items())
    of_absence = {} if rule["expr"].startswith("absent") else INSTALLATION
    expected = [{"exp_labels": of_absence | rule["labels"] | case.labels}]
    at = sorted([*((minute, expected) for minute in case.fires), *((minute, []) for minute in case.quiet)], key=str)
    return {
        "interval": "1m",
        "input_series": [
            {"series": "affirm_worker_" + name.replace("{", "{" + labels + ","), "values": values}
            for name, values in case.series.items()
        ],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": case.alert, "exp_alerts": alerts} for minute, alerts in at
        ],
    }


@pytest.mark.needs("promtool")
def test_promtool_finds_the_rules_right() -> None:
    assert promtool("check", "rules", FILE) == ""


@pytest.mark.needs("promtool")
def test_each_alert_fires_clears_and_stays_quiet(tmp_path: Path) -> None:
    assert failed(tmp_path, {name: (FILE.read_text(), of(name)) for name in alerts()}) == {}


def test_each_alert_has_a_case_of_each_kind() -> None:
    names = {*alerts()}
    assert {one.alert for one in CASES} == names
    assert {one.alert for one in CASES if one.fires and max(one.quiet) > max(one.fires)} == names  # it clears
    assert {one.alert for one in CASES if not one.fires} == names


@pytest.mark.needs("promtool")
def test_the_cases_find_every_changed_threshold_and_exception(tmp_path: Path) -> None:
    """Each threshold, each `for`, and each condition that makes an exception counts."""
    text = FILE.read_text()
    mutants = [(found, text[: found.start(1)] + "0.001" + text[found.end(1) :]) for found in _thresholds(text)]
    mutants += [
        (found, text[: found.start()] + "for: 0s" + text[found.end() :]) for found in re.finditer(r"for: \w+", text)
    ]
    mutants += [
        (found, text[: found.start(1)] + "777" + text[found.end(1) :])
        for found in re.finditer(r"[=>] ([01])$", text, re.MULTILINE)
    ]
    assert len(mutants) > 40
    courses = {
        f"{number:02} line {text[: found.start()].count(chr(10)) + 1}": (mutant, of(_alert_at(text, found.start())))
        for number, (found, mutant) in enumerate(mutants)
    }
    assert sorted(courses.keys() - failed(tmp_path, courses).keys()) == []


def _thresholds(text: str) -> list[re.Match[str]]:
    return [*re.finditer(r"([0-9.]+) # (\w+)$", text, re.MULTILINE)]


def _alert_at(text: str, position: int) -> str:
    return str(re.findall(r"alert: (\w+)", text[:position])[-1])


def test_each_alert_says_what_it_means_and_where_to_read_on() -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(alerts())
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{name.lower()}"
        assert rule["annotations"]["summary"] and rule["annotations"]["description"].endswith(".")
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_each_section_says_what_how_and_what_to_do() -> None:
    for section in re.split(r"^## ", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]:
        assert [word for word in ("**It means**", "**Look**", "**Do**", "```sh") if word not in section] == [], section


def test_alerts_look_only_at_metrics_that_there_are() -> None:
    names = {one.name for metrics in (Metrics(), ApiMetrics()) for one in metrics.described}
    asked = set(re.findall(r"affirm_worker_\w+", FILE.read_text()))
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} <= names


def test_every_metric_of_an_alert_has_braces_for_a_selector() -> None:
    for rule in alerts().values():
        assert re.findall(r"affirm_worker_\w+(?!\w)(?!\{)", rule["expr"]) == []


def test_the_page_about_metrics_lists_every_alert() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]", page.page(), re.MULTILINE)
    assert listed == [*alerts()]


def test_there_are_none_unless_they_are_asked_for() -> None:
    """Values of an older chart, which knew none, included."""
    for values in (chart.LEAST, chart.LEAST + "\nprometheusRule: null\ngrafanaDashboard: null"):
        assert not [one for one in chart.objects(values) if one["kind"] == "PrometheusRule"]


def test_by_default_the_chart_makes_the_alerts_of_the_file() -> None:
    """Those about the API only where there is one."""
    plain = {name: rule for name, rule in alerts().items() if "Api" not in name}
    assert made(ON % "") == plain
    assert made(ON % "" + "\napi: {enabled: true}") == alerts()


def test_values_that_an_older_release_did_not_have_may_be_missing() -> None:
    names = yaml.safe_load((chart.CHART / "values.yaml").read_text())["prometheusRule"].keys() - {"enabled"}
    reused = "".join(f", {name}: null" for name in names)
    assert made(ON % reused) == made(ON % "")
    dashboard = "\ngrafanaDashboard: {enabled: true%s}"
    without = chart.objects(chart.LEAST + dashboard % ", labels: null, annotations: null, namespace: null")
    assert without == chart.objects(chart.LEAST + dashboard % "")


def test_the_default_thresholds_are_those_of_the_file() -> None:
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())["prometheusRule"]["thresholds"]
    assert {name: float(number) for name, number in values.items()} == {
        found[2]: float(found[1]) for found in _thresholds(FILE.read_text())
    }


def test_thresholds_labels_durations_and_links_are_the_values() -> None:
    rules = made(
        ON % ", thresholds: {oldestWaitSeconds: 7200, failureRatio: 0.5}, for: {AffirmWorkerQueueOld: 1h}, "
        'ruleLabels: {team: names, severity: page}, disabled: [AffirmWorkerHeldUp], runbookUrl: "https://x.example/r"'
    )
    assert "> 7200 # oldestWaitSeconds" in rules["AffirmWorkerQueueOld"]["expr"]
    assert "> 0.5 # failureRatio" in rules["AffirmWorkerJobsFail"]["expr"]
    assert ">= 3 # failures" in rules["AffirmWorkerJobsFail"]["expr"]
    assert (rules["AffirmWorkerQueueOld"]["for"], rules["AffirmWorkerPoolBlocked"]["for"]) == ("1h", "5m")
    assert rules["AffirmWorkerQueueOld"]["labels"] == {"team": "names", "severity": "page"}
    assert "AffirmWorkerHeldUp" not in rules
    links = {rule["annotations"]["runbook_url"].partition("#")[0] for rule in rules.values()}
    assert links == {"https://x.example/r"}


def test_with_pod_monitors_alerts_look_at_their_release_alone(tmp_path: Path) -> None:
    monitored = "\nmetrics: {podMonitor: {enabled: true}}\napi: {enabled: true}"
    jobs: dict[str, set[str]] = {"controller": set(), "api": set()}
    for name, rule in made(ON % "" + monitored).items():
        metrics = re.findall(r"affirm_worker_\w+\{", rule["expr"])
        found = re.findall(r'affirm_worker_\w+\{job="(.*?)",', rule["expr"])
        assert len(found) == len(metrics) > 0
        jobs["api" if "Api" in name else "controller"] |= {*found}
    monitors = [one["metadata"]["name"] for one in chart.objects(ON % "" + monitored) if one["kind"] == "PodMonitor"]
    assert sorted(f"affirm-worker/{name}" for name in monitors) == sorted(jobs["controller"] | jobs["api"])
    assert (len(jobs["controller"]), len(jobs["api"])) == (1, 1)


def test_a_selector_of_ones_own_goes_before_the_release() -> None:
    rules = made(ON % """, selector: 'cluster="a$1"'""" + "\nmetrics: {podMonitor: {enabled: true}}")
    assert rules["AffirmWorkerNoController"]["expr"] == 'absent(affirm_worker_tick_lag_seconds{cluster="a$1",})'


@pytest.mark.needs("promtool")
def test_promtool_accepts_what_the_chart_makes(tmp_path: Path) -> None:
    values = ON % ", thresholds: {oldestWaitSeconds: 10000000}" + "\nmetrics: {podMonitor: {enabled: true}}"
    spec = chart.only("PrometheusRule", values + "\napi: {enabled: true}")["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec))
    assert promtool("check", "rules", tmp_path / "rules.yaml") == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            ", disabled: [AffirmWorker]",
            "at '/prometheusRule/disabled/0': value must be one of 'AffirmWorkerNoController'",
        ),
        (", for: {AffirmWorkerQueueOld: soon}", "at '/prometheusRule/for/AffirmWorkerQueueOld': 'soon' does not match"),
        (", thresholds: {failures: many}", "at '/prometheusRule/thresholds/failures': got string, want integer"),
        (", selector: '{a=\"b\"}'", "at '/prometheusRule/selector'"),
    ],
)
def test_wrong_values_are_refused_by_name(wrong: str, message: str) -> None:
    with pytest.raises(chart.Refused) as refused:
        chart.text(ON % wrong)
    assert message in str(refused.value)


def test_the_schema_knows_the_alerts_of_the_file() -> None:
    schema = yaml.safe_load((chart.CHART / "values.schema.json").read_text())
    assert schema["$defs"]["alert"]["enum"] == [*alerts()]


def test_prometheus_reaches_the_port_of_the_apis_metrics() -> None:
    """By its pod monitor, by annotations, and past its network policy."""
    monitor = chart.only("PodMonitor", chart.API, "api")
    template = chart.only("Deployment", chart.API, "api")["spec"]["template"]
    [port] = [one for one in chart.api_pod(chart.API)["containers"][0]["ports"] if one["name"] == "metrics"]
    env = {one["name"]: one.get("value") for one in chart.api_pod(chart.API)["containers"][0]["env"]}
    assert env["API_METRICS_PORT"] == str(port["containerPort"])
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    allowed = chart.only("NetworkPolicy", chart.API)["spec"]["ingress"]
    assert [one["ports"][0]["port"] for one in allowed] == ["http", "metrics"]
    assert "metrics" not in [one["name"] for one in chart.only("Service", chart.API)["spec"]["ports"]]
