"""The manifests that the chart renders, and the values that it refuses."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings, read_settings
from controller.runner_config import RunnerConfig, read_runner_config
from dataset_jobs.model.limits import Limits
from docs.generate import chart_values
from tests.unit import chart

EVERY = pytest.mark.parametrize(
    "values", [chart.LEAST, chart.EVERYTHING, chart.LOCAL], ids=["least", "everything", "local"]
)

_OF_A_PARENT = {"enabled"}
"""What only a chart that this one is a part of has a meaning for, in the `condition` of its dependency."""


def test_the_plain_manifests_are_what_the_chart_renders() -> None:
    rendered = chart.text((chart.MANIFESTS / "values.yaml").read_text())
    assert (chart.MANIFESTS / "affirm-worker.yaml").read_text() == rendered, "run `make manifests`"


def test_the_example_secret_is_the_one_that_the_manifests_ask_for() -> None:
    secret = yaml.safe_load((chart.MANIFESTS / "secret.example.yaml").read_text())
    asked = [env["valueFrom"]["secretKeyRef"] for env in _every_env() if "secretKeyRef" in env.get("valueFrom", {})]
    assert {one["name"] for one in asked} == {secret["metadata"]["name"]}
    assert {*secret["stringData"]} == {one["key"] for one in asked}


@EVERY
def test_every_environment_name_is_a_setting_or_for_boto3_or_libpq(values: str) -> None:
    rendered = [*_envs(chart.controller_pod(values)), *chart.runner_config(values)["env"]]
    ours = {env["name"] for env in rendered if not env["name"].startswith(("AWS_", "PG"))}
    assert ours <= {name.upper() for name in Settings.model_fields}


@EVERY
def test_the_controller_accepts_the_settings_and_the_runner_config(
    values: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in _by_name(chart.controller_pod(values)["containers"][0]["env"]).items():
        from_elsewhere = "postgresql://names@database/names" if name.endswith("_URL") else "given"
        monkeypatch.setenv(name, value if isinstance(value, str) else from_elsewhere)
    settings = read_settings()
    assert settings.database_url and settings.health_port == 8080
    (tmp_path / "runner.json").write_text(chart.only("ConfigMap", values)["data"]["runner.json"])
    assert read_runner_config(tmp_path / "runner.json").image == chart.runner_config(values)["image"]


@EVERY
def test_the_runner_config_says_every_field(values: str) -> None:
    assert {*chart.runner_config(values)} == {field.alias for field in RunnerConfig.model_fields.values()}


def test_the_controllers_settings_are_the_values() -> None:
    env = _by_name(_envs(chart.controller_pod(chart.EVERYTHING)))
    assert env["DATABASE_URL"] == {"secretKeyRef": {"name": "names-database", "key": "url"}}
    assert env["DATABASE_DIRECT_URL"] == {"secretKeyRef": {"name": "names-database", "key": "direct-url"}}
    assert env["NAMESPACE"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    assert env["WORKER_ID"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert (env["POOL"], env["POOL_MAX_PARALLELISM"]) == ("nightly", "100000")
    assert (env["STORAGE_TYPE"], env["STORAGE_S3_BUCKET"]) == ("s3", "affirm-datasets")
    assert (env["WORKER_RETRY_WAITS"], env["WORKER_MAX_RETRIES"]) == ("1m,5m,15m", "3")
    assert env["DATABASE_MAX_CONNECTIONS"] == "20"


def test_limits_of_files_are_settings_of_controller_and_runners() -> None:
    values = chart.LEAST + "\nlimits: {fileMib: 1024, workbookMemoryMib: 512, rows: 30000000}"
    controller = _by_name(_envs(chart.controller_pod(values)))
    runner = _by_name(chart.runner_config(values)["env"])
    for env in (controller, runner):
        found = {name: value for name, value in env.items() if name.startswith("LIMIT_")}
        assert found == {"LIMIT_FILE_MIB": "1024", "LIMIT_WORKBOOK_MEMORY_MIB": "512", "LIMIT_ROWS": "30000000"}
        assert found.keys() <= Limits().to_env().keys()
    assert not [env for env in _envs(chart.controller_pod(chart.LEAST)) if env["name"].startswith("LIMIT_")]


def test_the_chart_knows_every_limit_and_no_other() -> None:
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    names = schema["properties"]["limits"]["propertyNames"]["enum"]
    assert [re.sub("([A-Z])", r"_\1", name).lower() for name in names] == [field.name for field in fields(Limits)]


def test_a_maximum_of_null_leaves_the_pool_as_the_database_has_it() -> None:
    pod = chart.controller_pod(chart.LEAST + "\npool: {maxParallelism: null}")
    assert "POOL_MAX_PARALLELISM" not in {env["name"] for env in _envs(pod)}


def test_migrations_run_before_the_controller_with_the_same_image_and_settings() -> None:
    pod = chart.controller_pod(chart.EVERYTHING)
    [migrate], [controller] = pod["initContainers"], pod["containers"]
    assert (migrate["args"], controller["args"]) == (["migrate"], ["run", "--launcher", "kubernetes"])
    for same in ("image", "volumeMounts", "securityContext"):
        assert migrate[same] == controller[same]
    differ = [name for name, value in _by_name(migrate["env"]).items() if _by_name(controller["env"])[name] != value]
    assert (differ, len(migrate["env"])) == (["DATABASE_URL"], len(controller["env"]))


@pytest.mark.parametrize(
    ("database", "keys"),
    [
        ("{}", ["OWNER_DATABASE_URL", "DATABASE_URL", "RUNNER_DATABASE_URL"]),
        ("{urlKey: url, runnerUrlKey: runner, ownerUrlKey: owner}", ["owner", "url", "runner"]),
        ("{urlKey: url, runnerUrlKey: '', ownerUrlKey: ''}", ["url", "url", "url"]),
    ],
    ids=["defaults", "others", "one login"],
)
def test_owner_controller_and_runners_have_their_own_logins(database: str, keys: list[str]) -> None:
    """The last values are those that charts had by default before."""
    values = f"{chart.LEAST}\ndatabase: {database}"
    pod, config = chart.controller_pod(values), chart.runner_config(values)
    found = [
        _by_name(container["env"])["DATABASE_URL"]["secretKeyRef"]["key"]
        for container in (pod["initContainers"][0], pod["containers"][0], config)
    ]
    assert found == keys


def test_the_controller_knows_the_runners_login_to_check_it() -> None:
    def of_runners(values: str) -> Any:
        return _by_name(chart.controller_pod(values)["containers"][0]["env"]).get("RUNNER_DATABASE_URL")

    assert of_runners(chart.LEAST) == {"secretKeyRef": {"name": "affirm-worker", "key": "RUNNER_DATABASE_URL"}}
    assert of_runners(chart.LEAST + "\ndatabase: {runnerUrlKey: ''}") is None


def test_no_runner_gets_a_login_of_others() -> None:
    keys = [env["valueFrom"]["secretKeyRef"]["key"] for env in chart.runner_config()["env"] if "valueFrom" in env]
    assert keys == ["RUNNER_DATABASE_URL"]


def test_a_pod_monitor_finds_the_port_of_the_controllers() -> None:
    """If the values ask for one."""
    monitor = chart.only("PodMonitor", chart.EVERYTHING)
    template = chart.only("Deployment", chart.EVERYTHING)["spec"]["template"]
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    [port] = [one for one in template["spec"]["containers"][0]["ports"] if one["name"] == endpoint["port"]]
    assert (endpoint["path"], endpoint["interval"]) == ("/metrics", "30s")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    scraped = {name: value for name, value in template["metadata"]["annotations"].items() if "prometheus.io" in name}
    assert scraped == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port["containerPort"]),
        "prometheus.io/path": "/metrics",
    }
    assert not [found for found in chart.objects() if found["kind"] == "PodMonitor"]
    assert "prometheus.io" not in chart.text()


def test_images_go_by_digest_where_there_is_one_and_by_tag_elsewhere() -> None:
    [controller] = chart.controller_pod(chart.EVERYTHING)["containers"]
    assert controller["image"] == f"registry.example:5000/names/affirm-worker@sha256:{'a' * 64}"
    assert chart.runner_config(chart.EVERYTHING)["image"] == "registry.example/affirm-parser-runner:2.0.0"
    assert chart.runner_config()["image"] == "affirm-parser-runner:0.1.0"


def test_runners_get_their_own_database_url_and_the_storage() -> None:
    env = _by_name(chart.runner_config(chart.EVERYTHING)["env"])
    assert env["DATABASE_URL"] == {"secretKeyRef": {"name": "names-database", "key": "runner-url"}}
    assert env["AWS_ACCESS_KEY_ID"] == {"secretKeyRef": {"name": "names-storage", "key": "AWS_ACCESS_KEY_ID"}}
    assert env["STORAGE_S3_PREFIX"] == "names/"


def test_the_ca_of_the_database_is_given_to_all_that_connect() -> None:
    pod, config = chart.controller_pod(chart.EVERYTHING), chart.runner_config(chart.EVERYTHING)
    volume = {
        "name": "database-ca",
        "secret": {"secretName": "names-database-ca", "items": [{"key": "ca.pem", "path": "ca.crt"}]},
    }
    for where, containers in ((pod, [*pod["initContainers"], *pod["containers"]]), (config, [config])):
        assert volume in where["volumes"]
        for container in containers:
            file = _by_name(container["env"])["PGSSLROOTCERT"]
            [mount] = [one for one in container["volumeMounts"] if one["name"] == "database-ca"]
            assert (file, mount["readOnly"]) == (f"{mount['mountPath']}/ca.crt", True)
    assert "PGSSLROOTCERT" not in chart.text()


def test_local_storage_is_mounted_by_both_and_read_only_by_runners() -> None:
    pod, config = chart.controller_pod(chart.LOCAL), chart.runner_config(chart.LOCAL)
    claim = {"claimName": "uploads"}
    assert {"name": "storage", "persistentVolumeClaim": claim} in pod["volumes"]
    assert {"name": "storage", "mountPath": "/data"} in pod["containers"][0]["volumeMounts"]
    assert config["volumes"] == [{"name": "storage", "persistentVolumeClaim": claim | {"readOnly": True}}]
    assert config["volumeMounts"] == [{"name": "storage", "mountPath": "/data", "readOnly": True}]


def test_a_change_of_the_runner_config_rolls_the_controller() -> None:
    def checksum(values: str) -> str:
        template = chart.only("Deployment", values)["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/runner-config"])

    assert checksum(chart.LEAST) == checksum(chart.LEAST + "\ncontroller: {replicas: 3}")
    assert checksum(chart.LEAST) != checksum(chart.LEAST + "\nrunner: {deadlineSeconds: 60}")


@EVERY
def test_the_selector_finds_the_controllers_pods_whatever_labels_are_added(values: str) -> None:
    spec = chart.only("Deployment", values)["spec"]
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("database: {existingSecret: names}", "storage.s3.bucket is needed with storage.type s3"),
        ("storage: {type: local}", "storage.local.existingClaim is needed with storage.type local"),
        ("storage: {type: ftp}", "at '/storage/type': value must be one of 's3', 'local'"),
        ("pool: {maximum: 3}", "at '/pool': additional properties 'maximum' not allowed"),
        ("workers: 3", "additional properties 'workers' not allowed"),
        ("pool: {maxParallelism: many}", "at '/pool/maxParallelism': got string, want null or integer"),
        ("worker: {pollInterval: 5 seconds}", "at '/worker/pollInterval': '5 seconds' does not match pattern"),
        ("worker: {retryWaits: '1m;5m'}", "at '/worker/retryWaits': '1m;5m' does not match pattern"),
        ("log: {level: LOUD}", "at '/log/level': value must be one of 'DEBUG', 'INFO'"),
        ("controller: {replicas: two}", "at '/controller/replicas': got string, want integer"),
        ("runner: {extraEnv: [{name: A, value: 1}]}", "at '/runner/extraEnv/0/value': got number, want string"),
        ("image: {digest: latest}", "at '/image/digest': 'latest' does not match pattern"),
    ],
)
def test_what_is_missing_unknown_or_wrong_is_refused_by_name(values: str, message: str) -> None:
    with pytest.raises(chart.Refused) as refused:
        chart.text(values)
    assert message in str(refused.value)


def test_schema_and_values_have_the_same_keys() -> None:
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    assert {*_schema_leaves(schema, schema)} - _OF_A_PARENT == {*_value_leaves(schema, schema, values)}
    # Charts beside this one may have values of their own in `global`.
    del schema["properties"]["global"]
    assert all(_strict(schema, schema))


def test_the_documentation_of_the_values_is_made_from_them_and_whole() -> None:
    page = chart_values.page()
    assert chart_values.PAGE.read_text() == page, "run `make docs`"
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    documented = set(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))
    assert documented == {*_schema_leaves(schema, schema)} - _OF_A_PARENT


def test_runner_jobs_have_the_name_of_their_release() -> None:
    """By which they are deleted after an uninstall, and those of other releases are not."""
    label = "app.kubernetes.io/instance"
    assert chart.runner_config()["labels"] == {label: "affirm-worker"}
    assert chart.runner_config(chart.EVERYTHING)["labels"] == {label: "affirm-worker", "team": "statistics"}
    page = (chart.ROOT / "docs" / "operations.md").read_text()
    assert f"delete jobs -l app=affirm-parser,{label}=affirm-worker" in page


def test_the_custom_resource_is_the_file_that_kubectl_can_apply_and_outlives_the_release() -> None:
    plain = yaml.safe_load((chart.CHART / "files" / "parserpools.yaml").read_text())
    rendered = chart.only("CustomResourceDefinition")
    assert rendered["spec"] == plain["spec"]
    assert rendered["metadata"]["name"] == plain["metadata"]["name"]
    assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert (
        "annotations" not in chart.only("CustomResourceDefinition", chart.LEAST + "\ncrds: {keep: false}")["metadata"]
    )


def test_the_custom_resource_may_be_left_to_others() -> None:
    kinds = {found["kind"] for found in chart.objects(chart.LEAST + "\ncrds: {install: false}")}
    assert "CustomResourceDefinition" not in kinds


def test_the_controller_goes_by_the_full_name_of_its_release() -> None:
    env = _by_name(_envs(chart.controller_pod(chart.LEAST + "\nfullnameOverride: names")))
    assert env["WORKER_CONTROLLER_NAME"] == "names"
    assert _by_name(_envs(chart.controller_pod()))["WORKER_CONTROLLER_NAME"] == Settings().worker_controller_name


def test_the_notes_create_the_secret_with_every_key() -> None:
    said = chart.notes()
    assert re.findall(r"--from-literal=(\w+)='postgresql://(\w+):", said) == [
        ("DATABASE_URL", "names_controller"),
        ("RUNNER_DATABASE_URL", "names_runner"),
        ("OWNER_DATABASE_URL", "names_owner"),
    ]
    assert "WARNING" not in said


@pytest.mark.parametrize(
    ("database", "warnings"),
    [
        ("{runnerUrlKey: ''}", ["runners log in as the controller does"]),
        ("{ownerUrlKey: ''}", ["the controller logs in as the owner of the tables"]),
        ("{runnerUrlKey: OWNER_DATABASE_URL}", ["runners log in as the owner of the tables does"]),
        (
            "{runnerUrlKey: '', ownerUrlKey: ''}",
            ["runners log in as the controller does", "the controller logs in as the owner of the tables"],
        ),
    ],
)
def test_the_notes_warn_of_logins_that_are_shared(database: str, warnings: list[str]) -> None:
    said = chart.notes(f"{chart.LEAST}\ndatabase: {database}")
    assert re.findall(r"WARNING: (.*?)\.", said) == warnings


def test_the_notes_say_how_to_see_the_pods_of_the_runners() -> None:
    assert "kubectl --namespace affirm-worker get pods -l app=affirm-parser" in chart.notes()


@pytest.mark.parametrize(
    "values",
    ["", chart.LEAST, chart.API, f"{chart.LEAST_API}\ndatabase: {{runnerUrlKey: '', ownerUrlKey: '', apiUrlKey: ''}}"],
)
def test_the_notes_fit_a_terminal(values: str) -> None:
    for line in chart.notes(values).splitlines():
        assert len(line) <= 80, line


def _every_env() -> list[dict[str, Any]]:
    """Of the controller's pod and of runners', as the defaults make them."""
    return [*_envs(chart.controller_pod()), *chart.runner_config()["env"]]


def _envs(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [env for container in (*pod["initContainers"], *pod["containers"]) for env in container["env"]]


def _by_name(envs: list[dict[str, Any]]) -> dict[str, Any]:
    return {env["name"]: env.get("value") or env["valueFrom"] for env in envs}


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    return found


def _is_of_kubernetes(reference: dict[str, Any]) -> bool:
    """Whether a structure is one of Kubernetes' own."""
    return reference.get("$ref", "").rsplit("/", 1)[-1] in ("resources", "probe", "strategy", "podTemplate")


def _schema_leaves(node: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths that the chart itself gives a meaning; Kubernetes' own structures are leaves."""
    for name, reference in node["properties"].items():
        child = _resolved(reference, schema)
        if child.get("deprecated"):  # of older charts
            continue
        if "properties" in child and not _is_of_kubernetes(reference):
            yield from _schema_leaves(child, schema, f"{path}{name}.")
        else:
            yield path + name


def _value_leaves(
    node: dict[str, Any], schema: dict[str, Any], values: dict[str, Any], path: str = ""
) -> Iterator[str]:
    for name, value in values.items():
        reference = node["properties"][name]
        child = _resolved(reference, schema)
        if isinstance(value, dict) and "properties" in child and not _is_of_kubernetes(reference):
            yield from _value_leaves(child, schema, value, f"{path}{name}.")
        else:
            yield path + name


def _strict(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[bool]:
    for reference in node["properties"].values():
        child = _resolved(reference, schema)
        if "properties" in child and not _is_of_kubernetes(reference):
            yield child["additionalProperties"] is False
            yield from _strict(child, schema)
