"""The API's part of the chart: two replicas, no right of Kubernetes, a login of its own, a bounded spool."""

import re
from typing import Any

import pytest
import yaml

from api.server import GRACE_SECONDS
from app.settings import Settings, read_settings
from dataset_jobs.model.limits import Limits
from tests.kit.logins import OPERATIONS
from tests.unit import chart
from tests.unit.restricted import violations

EVERY = pytest.mark.parametrize("values", [chart.LEAST_API, chart.API], ids=["least", "everything"])
OF_THE_API = ["Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"]
IF_ASKED_FOR = ["HTTPRoute", "Ingress", "NetworkPolicy", "PodMonitor"]


def test_there_is_no_api_unless_it_is_enabled() -> None:
    """Values of a chart that knew none, which an upgrade may reuse, enable none."""
    for values in (chart.LEAST, chart.EVERYTHING, chart.LEAST + "\napi: null"):
        assert _of_the_api(values) == []
        assert "HTTP API" not in chart.notes(values)


def test_it_has_its_own_objects_and_no_right() -> None:
    assert _of_the_api(chart.LEAST_API) == OF_THE_API
    assert _of_the_api(chart.API) == sorted(OF_THE_API + IF_ASKED_FOR)
    account = chart.api_pod(chart.API)["serviceAccountName"]
    assert account not in [one["name"] for one in chart.only("RoleBinding", chart.API)["subjects"]]
    assert account == chart.only("ServiceAccount", chart.API, "api")["metadata"]["name"]


@EVERY
def test_its_pod_is_restricted_and_has_no_token(values: str) -> None:
    """Its root file system is read-only, and of the Secrets it knows its own login and the storage's."""
    pod = chart.api_pod(values)
    secrets = {("affirm-worker", "API_DATABASE_URL")}
    if values == chart.API:
        storage = {("names-storage", name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        secrets = {("names-database", "API_DATABASE_URL"), ("names-database-ca", "ca.pem"), ("pull", "pull")} | storage
    assert violations({"spec": pod}, {"affirm-worker-api"}, secrets) == []
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert chart.only("ServiceAccount", values, "api")["automountServiceAccountToken"] is False


def test_openshift_chooses_the_user_of_the_api() -> None:
    values = (chart.CHART / "openshift.yaml").read_text() + chart.LEAST
    values = values.replace("api:\n", "api:\n  enabled: true\n", 1)
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & {*chart.api_pod(values)["securityContext"]}


def test_the_controllers_account_is_not_for_the_api() -> None:
    for named in ("", "serviceAccount: {name: mine}\n"):
        name = "mine" if named else "affirm-worker"
        values = f"{named}{chart.LEAST}\napi: {{enabled: true, serviceAccount: {{name: {name}}}}}"
        with pytest.raises(chart.Refused, match=r"api\.serviceAccount\.name must not be the controller's"):
            chart.text(values)


@EVERY
def test_its_environment_is_settings_that_it_accepts(values: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = _environment(values)
    ours = {name for name in environment if not name.startswith(("AWS_", "PG"))}
    assert ours <= {name.upper() for name in Settings.model_fields}
    for name, value in environment.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "postgresql://names@database/names")
    settings = read_settings()
    assert settings.api_local_role is None
    assert settings.api_listen.endswith(f":{_container(values)['ports'][0]['containerPort']}")
    assert settings.api_read_only == settings.api_public_names == (values == chart.API)
    assert len(settings.api_trusted_proxies) == len(settings.api_proxy_roles) == (2 if values == chart.API else 0)


def test_values_that_are_left_out_are_the_programs() -> None:
    settings, values = Settings(), yaml.safe_load((chart.CHART / "values.yaml").read_text())["api"]
    assert values["uploadsAtOnce"] == settings.api_uploads_at_once
    assert values["requestsPerMinute"] == settings.api_requests_per_minute
    assert (values["readOnly"], values["publicNames"]) == (settings.api_read_only, settings.api_public_names)


@pytest.mark.parametrize(
    ("database", "key"),
    [("{}", "API_DATABASE_URL"), ("{apiUrlKey: api-url}", "api-url"), ("{apiUrlKey: ''}", "DATABASE_URL")],
)
def test_its_login_is_its_own_unless_it_has_none(database: str, key: str) -> None:
    values = f"{chart.LEAST_API}\ndatabase: {database}"
    assert _environment(values)["DATABASE_URL"]["secretKeyRef"]["key"] == key
    assert not {"RUNNER_DATABASE_URL", "DATABASE_DIRECT_URL"} & {*_environment(values)}


def test_its_login_has_connections_for_every_replica() -> None:
    """And for the one more that an update makes."""
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())["api"]
    [limit] = re.findall(r"create role names_api login .* connection limit (\d+)", OPERATIONS.read_text())
    assert values["maxConnections"] * (values["replicas"] + 1) <= int(limit)


def test_the_spool_has_room_for_what_is_received() -> None:
    def spool(values: str) -> tuple[str, str]:
        [volume] = [one for one in chart.api_pod(values)["volumes"] if one["name"] == "spool"]
        [mount] = [one for one in _container(values)["volumeMounts"] if one["name"] == "spool"]
        return volume["emptyDir"]["sizeLimit"], mount["mountPath"]

    folder = _environment(chart.API)["API_SPOOL_DIR"]
    assert spool(chart.API) == ("400Mi", folder)
    assert spool(chart.LEAST_API) == (f"{8 * Limits().file_mib}Mi", folder)
    assert spool(chart.LEAST_API + "\nlimits: null") == spool(chart.LEAST_API)  # values of a chart that knew none


def test_replicas_are_replaced_one_after_another_and_spread() -> None:
    spec = chart.only("Deployment", chart.LEAST_API, "api")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert chart.only("PodDisruptionBudget", chart.LEAST_API, "api")["spec"]["maxUnavailable"] == 1
    for values, where in ((chart.LEAST_API, "kubernetes.io/hostname"), (chart.API, "zone")):
        [spread] = chart.api_pod(values)["topologySpreadConstraints"]
        assert spread["topologyKey"] == where
        labels = chart.only("Deployment", values, "api")["spec"]["template"]["metadata"]["labels"]
        assert spread["labelSelector"]["matchLabels"].items() <= labels.items()


def test_its_end_has_time_for_what_is_under_way() -> None:
    pod, [word] = chart.api_pod(), re.findall(r"sleep\((\d+)\)", str(_container(chart.LEAST_API)["lifecycle"]))
    assert pod["terminationGracePeriodSeconds"] > int(word) + GRACE_SECONDS


@EVERY
def test_everything_that_selects_it_finds_its_pods_alone(values: str) -> None:
    label = {name: chart.only("Deployment", values, name)["spec"]["template"]["metadata"]["labels"] for name in
             ("api", "controller")}  # fmt: skip
    selectors = [
        chart.only("Deployment", values, "api")["spec"]["selector"]["matchLabels"],
        chart.only("PodDisruptionBudget", values, "api")["spec"]["selector"]["matchLabels"],
        chart.only("Service", values)["spec"]["selector"],
    ]
    if values == chart.API:
        selectors.append(chart.only("NetworkPolicy", values)["spec"]["podSelector"]["matchLabels"])
    for selector in selectors:
        assert selector.items() <= label["api"].items()
        assert not selector.items() <= label["controller"].items()
    assert (
        not chart.only("Deployment", values, "controller")["spec"]["selector"]["matchLabels"].items()
        <= label["api"].items()
    )


def test_whatever_leads_to_it_ends_at_its_port() -> None:
    [port] = chart.only("Service", chart.API)["spec"]["ports"]
    container_port = _container(chart.API)["ports"][0]
    assert (port["targetPort"], port["port"]) == (container_port["name"], 8081)
    [rule] = chart.only("Ingress", chart.API)["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (rule["host"], backend) == ("names.example", {"name": "affirm-worker-api", "port": {"name": port["name"]}})
    route = chart.only("HTTPRoute", chart.API)["spec"]
    assert route["rules"][0]["backendRefs"] == [{"name": "affirm-worker-api", "port": port["port"]}]
    assert route["parentRefs"] == [{"name": "gate", "namespace": "gates"}]
    ingress, _ = chart.only("NetworkPolicy", chart.API)["spec"]["ingress"]
    assert [one["port"] for one in ingress["ports"]] == [container_port["name"]]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert _container(chart.API)[probe]["httpGet"]["port"] == container_port["name"]


@pytest.mark.parametrize(
    ("policy", "types"), [("{enabled: true}", ["Ingress"]), ("{enabled: true, egress: []}", ["Ingress", "Egress"])]
)
def test_what_it_reaches_is_bounded_if_that_is_said(policy: str, types: list[str]) -> None:
    values = f"{chart.LEAST}\napi: {{enabled: true, networkPolicy: {policy}}}"
    assert chart.only("NetworkPolicy", values)["spec"]["policyTypes"] == types


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("ingress: {enabled: true}", "api.ingress.hosts is needed with api.ingress.enabled"),
        ("httpRoute: {enabled: true}", "api.httpRoute.parentRefs is needed with api.httpRoute.enabled"),
        ("localRole: admin", "at '/api': additional properties 'localRole' not allowed"),
        ("proxyRoles: {data: owner}", "at '/api/proxyRoles/data': value must be one of 'viewer', 'uploader', 'admin'"),
        ("proxyRoles: {'a,b': viewer}", "invalid propertyName 'a,b'"),
        ("trustedProxies: [everybody]", "at '/api/trustedProxies/0': 'everybody' does not match pattern"),
        ("uploadsAtOnce: 0", "at '/api/uploadsAtOnce': minimum: got 0, want 1"),
        ("terminationGracePeriodSeconds: 5", "at '/api/terminationGracePeriodSeconds': minimum: got 5, want 11"),
    ],
)
def test_what_the_api_cannot_have_is_refused(api: str, message: str) -> None:
    with pytest.raises(chart.Refused) as refused:
        chart.text(f"{chart.LEAST}\napi: {{enabled: true, {api}}}")
    assert message in str(refused.value)


def test_the_notes_lead_to_the_pages_and_make_a_key() -> None:
    said = chart.notes(chart.LEAST_API)
    commands = chart.commands(said)
    controller = chart.only("Deployment", chart.LEAST_API, "controller")["metadata"]["name"]
    inside = f"kubectl --namespace affirm-worker exec deployment/{controller} -c controller --"
    assert f"{inside} affirm-worker keys make me --role admin" in commands
    forward = "kubectl --namespace affirm-worker port-forward service/affirm-worker-api 8080:80"
    assert forward in commands
    assert "affirm-worker upload yob2023.txt --country US --wait" in commands
    assert "The pages and the HTTP API, at http://localhost:8080 while this runs" in said
    page = (chart.ROOT / "docs" / "dashboard.md").read_text()
    assert forward in page, "with the chart's own names"
    assert f"{inside} affirm-worker keys make me --role admin" in re.sub(r" \\\n +", " ", page)
    assert "--from-literal=API_DATABASE_URL='postgresql://names_api:" in said
    assert "WARNING" not in said
    assert "names_api" not in chart.notes()


def test_the_notes_name_the_hosts_that_lead_to_the_pages() -> None:
    """Where a browser keeps a login: over HTTPS."""
    route = "httpRoute: {enabled: true, parentRefs: [{name: gate}], hostnames: [two.example]}"
    ingress = "ingress: {enabled: true, hosts: [one.example]}"
    said = chart.notes(f"{chart.LEAST}\napi: {{enabled: true, {ingress}, {route}}}")
    assert "at\n  https://one.example\n  https://two.example\nas far as TLS ends before them: " in said


@pytest.mark.parametrize(("key", "whose"), [("''", "the controller"), ("RUNNER_DATABASE_URL", "runners")])
def test_the_notes_warn_of_an_api_with_anothers_login(key: str, whose: str) -> None:
    said = chart.notes(f"{chart.LEAST_API}\ndatabase: {{apiUrlKey: {key}}}")
    assert f"WARNING: the API logs in as {whose} does" in said


def _of_the_api(values: str) -> list[str]:
    label = "app.kubernetes.io/component"
    return sorted(one["kind"] for one in chart.objects(values) if one["metadata"]["labels"].get(label) == "api")


def _container(values: str) -> dict[str, Any]:
    [container] = chart.api_pod(values)["containers"]
    found: dict[str, Any] = container
    return found


def _environment(values: str) -> dict[str, Any]:
    return {one["name"]: one.get("value") or one["valueFrom"] for one in _container(values)["env"]}
