"""What would fail later, at the API server or at the controller's start, is refused before anything is installed."""

import re
from dataclasses import fields
from typing import Any

import pytest
import yaml

from app.settings import Settings, read_settings
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.limits import Limits
from tests.unit import chart

LONG = "a" * 51
TWO_AT_TMP = "[{name: mine, mountPath: /tmp/}]"
MINE = "[{name: mine, emptyDir: {}}]"

REFUSED = [
    *(
        (f"{section}: null", f"{section} is null, and has no default then: leave it out, or give it a value")
        for section in (
            *("pool", "log", "image", "database", "storage", "worker", "rbac", "serviceAccount"),
            *("controller", "runner"),
        )
    ),
    ("worker: {maxRetries: null}", "worker.maxRetries is null"),
    ("runner: {image: {repository: null}}", "runner.image.repository is null"),
    ("api: {enabled: true, service: null}", "api.service is null"),
    (
        "api: {enabled: true, replicas: null}",
        "api.enabled: these values are of an older chart and have no defaults for it; upgrade with --reset-then-reuse",
    ),
    ("enabled: false", "enabled: false means something to a chart that has this one as a dependency"),
    ("nameOverride: my.names", 'nameOverride: "my.names" makes no name of a Service'),
    (
        f"fullnameOverride: {LONG}",
        f'fullnameOverride: "{LONG}" makes no name of a Service: at most 50 lower-case letters',
    ),
    ("fullnameOverride: Names", 'fullnameOverride: "Names" makes no name of a Service'),
    ('storage: {s3: {prefix: "a\\nb"}}', 'storage.s3.prefix: "a\\nb" leads nowhere'),
    ("storage: {s3: {prefix: a/../b}}", 'storage.s3.prefix: "a/../b" leads nowhere: it has to be names with slashes'),
    ("storage: {s3: {prefix: a//b}}", 'storage.s3.prefix: "a//b" leads nowhere'),
    (
        "storage: {type: local, path: /data/.., local: {existingClaim: a}}",
        'storage.path: "/data/.." leads nowhere: it has to be an absolute path',
    ),
    ("database: {caSecret: a, caConfigMap: b}", "database.caSecret and database.caConfigMap are both given"),
    ("database: {sslMode: verify-full}", "database.sslMode: verify-full needs the CA that has signed the server's"),
    ("runner: {memoryCeiling: abc}", "runner.memoryCeiling: abc is no quantity, such as 2Gi"),
    ("runner: {memoryCeiling: 8Ei}", "runner.memoryCeiling: 8Ei is no quantity"),
    ("runner: {memoryCeiling: 256Mi}", "runner.memoryCeiling: 256Mi is below the limit, 512Mi: raise it"),
    ("runner: {resources: {limits: {memory: lots}}}", "runner.resources.limits.memory: lots is no quantity"),
    ("api: {enabled: true, resources: {requests: {cpu: -1}}}", "api.resources.requests.cpu: -1 is no quantity"),
    (
        "controller: {resources: {requests: {memory: 1Gi}}}",
        "controller.resources.requests.memory: 1Gi is more than the limit, 512Mi: lower it, or raise the limit",
    ),
    (
        "runner: {deadlineSeconds: 100000000000}",
        "runner.deadlineSeconds: 100000000000 is out of bounds: a whole number from 1 to 31536000 is needed",
    ),
    ("limits: {rows: 3000000000}", "limits.rows: 3000000000 is out of bounds: a whole number from 1 to 1000000000"),
    *(
        (
            f"{of}: {{{more}extraVolumes: {MINE}, extraVolumeMounts: {TWO_AT_TMP}}}",
            f"{of}.extraVolumeMounts: something is mounted at /tmp already, by the chart: mount mine elsewhere",
        )
        for of, more in (("controller", ""), ("runner", ""), ("api", "enabled: true, "))
    ),
    (
        "runner: {extraVolumes: [{name: tmp, emptyDir: {}}]}",
        "runner.extraVolumes: the name tmp is taken, by the chart: take another one",
    ),
    (
        "runner: {podTemplate: {spec: {containers: [{name: proxy}]}}}",
        "runner.podTemplate.spec.containers: proxy may not be there, only parser-runner",
    ),
    (
        "runner: {podTemplate: {spec: {containers: [{name: parser-runner, resources: {limits: {memory: 1Gi}}}]}}}",
        "the resources of parser-runner are those of runner.resources: write them there",
    ),
    ("runner: {extraVolumeMounts: [{name: a, mountPath: /a}]}", "there is no volume a: add it to runner.extraVolumes"),
]


@pytest.mark.parametrize(("values", "sentence"), REFUSED)
def test_what_cannot_work_is_refused_with_a_sentence(values: str, sentence: str) -> None:
    with pytest.raises(chart.Refused) as refused:
        chart.text(_over_least(values))
    assert sentence in str(refused.value)


TIMES = {
    "worker.pollInterval": ("WORKER_POLL_INTERVAL", "50ms", "1h"),
    "worker.startDeadline": ("WORKER_START_DEADLINE", "10s", "24h"),
    "worker.retention": ("WORKER_RETENTION", "1h", "3650d"),
    "worker.retryWaits": ("WORKER_RETRY_WAITS", "0s", "7d"),
    "api.validateDeadline": ("API_VALIDATE_DEADLINE", "1s", "1h"),
}
"""The setting of a value, and the shortest and the longest duration that both take."""
BEYOND = {
    "worker.pollInterval": ("49ms", "1h1s"),
    "worker.startDeadline": ("9.9s", "1d1s"),
    "worker.retention": ("59m", "3651d"),
    "worker.retryWaits": ("1m,169h",),
    "api.validateDeadline": ("0s", "61m"),
}


@pytest.mark.parametrize("edge", [1, 2], ids=["shortest", "longest"])
def test_durations_at_the_bounds_are_taken(edge: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values: dict[str, Any] = {"api": {"enabled": True}}
    for path, row in TIMES.items():
        section, name = path.split(".")
        values.setdefault(section, {})[name] = row[edge]
        monkeypatch.setenv(row[0], row[edge])
    assert chart.text(_over_least(yaml.safe_dump(values)))
    assert read_settings()


@pytest.mark.parametrize(("path", "given"), [(path, one) for path, given in BEYOND.items() for one in given])
def test_durations_beyond_the_bounds_are_refused(path: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the chart as by the program, so that none is found at the start only."""
    section, name = path.split(".")
    setting, shortest, longest = TIMES[path]
    values = yaml.safe_dump({section: {name: given} | ({"enabled": True} if section == "api" else {})})
    with pytest.raises(chart.Refused) as refused:
        chart.text(_over_least(values))
    assert f"is out of bounds: a duration from {shortest} to {longest} is needed" in str(refused.value)
    monkeypatch.setenv(setting, given)
    with pytest.raises(Misconfigured):
        read_settings()


def test_the_greatest_limits_are_those_of_the_settings() -> None:
    """A chart that took more would be refused at the controller's start."""
    words = (chart.CHART / "templates" / "_checks.tpl").read_text()
    most = {name: int(number) for name, number in re.findall(r'"([a-z]\w+)" (\d{4,})\b', words)}
    for name, number in most.items():
        field = Settings.model_fields["limit_" + re.sub("([A-Z])", r"_\1", name).lower()]
        assert [one.le for one in field.metadata if hasattr(one, "le")] == [number]
    assert len(most) == len(fields(Limits))


def test_a_limit_above_the_default_ceiling_is_taken() -> None:
    """Nobody has asked for that ceiling."""
    assert chart.text(_over_least("runner: {resources: {limits: {memory: 4Gi}}}"))


@pytest.mark.parametrize("quantity", ["512Mi", "1.5Gi", "536870912", "6e8", "600M", "1E"])
def test_every_quantity_of_kubernetes_is_one(quantity: str) -> None:
    text = f'runner: {{memoryCeiling: "{quantity}", resources: {{requests: {{cpu: 250m, memory: 1k}}}}}}'
    assert chart.text(_over_least(text))


def test_lint_fails_on_what_an_installation_needs() -> None:
    """`helm lint` takes no notice of what templates refuse in the usual way."""
    with pytest.raises(chart.Refused, match=r"storage\.s3\.bucket is needed"):
        chart.helm("lint", str(chart.CHART), "--values", "-", values="storage: {s3: {endpoint: 'https://s3.example'}}")
    assert "0 chart(s) failed" in chart.helm("lint", str(chart.CHART), "--values", "-", values=chart.PRODUCTION)


def _over_least(values: str) -> str:
    """The least values with others over them."""
    over = yaml.safe_load(values)
    storage = over.get("storage", {})
    if storage is not None:
        least = yaml.safe_load(chart.LEAST)["storage"]
        over["storage"] = least | storage | {"s3": least["s3"] | storage.get("s3", {})}
    return yaml.safe_dump(over)
