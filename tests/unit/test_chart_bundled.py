"""The chart without values: a Postgres and a storage of its own, the API, and when it brings neither."""

import base64
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.kit.logins import OPERATIONS
from tests.unit import chart
from tests.unit.restricted import violations

NOTHING = ""
SERVERS = pytest.mark.parametrize("component", ["postgres", "storage"])
URLS = ("OWNER_DATABASE_URL", "DATABASE_URL", "RUNNER_DATABASE_URL", "API_DATABASE_URL")
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
LOGINS = dict(zip(URLS, ("names_owner", "names_controller", "names_runner", "names_api"), strict=True))
BUNDLED = chart.CHART / "files" / "bundled"
SOMETHING = [
    "storage: {s3: {bucket: mine}}",
    chart.LOCAL,
    "database: {existingSecret: mine}\nstorage: {s3: {bucket: mine}}",
]


def test_no_values_make_servers_api_and_test() -> None:
    names = {(one["kind"], one["metadata"]["name"]) for one in chart.objects(NOTHING)}
    wanted = product(("StatefulSet", "Service", "Secret", "NetworkPolicy"), ("postgres", "storage"))
    assert names >= {(kind, f"affirm-worker-{server}") for kind, server in wanted}
    assert names >= {("Deployment", "affirm-worker-api"), ("Pod", "affirm-worker-test")}


@pytest.mark.parametrize("values", SOMETHING)
def test_whoever_names_a_storage_gets_no_servers(values: str) -> None:
    """A chart before this needed one, so that its values never mean a bundled Postgres."""
    assert _bundled(values) == set()
    assert "affirm.dev/bundled" not in chart.text(values)
    pod = chart.controller_pod(values)
    assert [one["name"] for one in pod["initContainers"]] == ["migrate"]
    secret = "mine" if "existingSecret: mine" in values else "affirm-worker"
    assert {one["name"] for one in _secrets_of(pod)} == {secret}
    assert not [one for one in chart.objects(values) if one["metadata"]["name"].endswith("-api")]


@pytest.mark.parametrize(
    "values",
    [
        "database: {existingSecret: mine}",
        "storage: {s3: {endpoint: 'http://s3.example'}}",
        "storage: {existingSecret: mine}",
        "bundled: {storage: {enabled: false}}",
        "bundled: {postgres: {enabled: true}, storage: {enabled: false}}",
    ],
)
def test_a_forgotten_bucket_is_said_and_not_bundled(values: str) -> None:
    with pytest.raises(chart.Refused, match=r"storage\.s3\.bucket is needed with storage.type s3"):
        chart.text(values)


def test_each_server_can_be_had_alone() -> None:
    own_storage = "bundled: {postgres: {enabled: true}}\nstorage: {s3: {bucket: mine}}"
    own_database = "bundled: {storage: {enabled: true}}\ndatabase: {existingSecret: mine}"
    assert _bundled(own_storage) == {"postgres"}
    assert _bundled(own_database) == {"storage"}
    assert {one["name"] for one in _secrets_of(chart.controller_pod(own_database))} == {"mine", "affirm-worker-storage"}
    assert {one["name"] for one in _secrets_of(chart.controller_pod(own_storage))} == {"affirm-worker-postgres"}
    assert not [one for one in chart.objects(own_database) if one["metadata"]["name"].endswith("-api")]
    assert _env(chart.controller_pod(own_storage)["containers"][0])["STORAGE_S3_BUCKET"] == "mine"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("bundled: {storage: {enabled: true}}\nstorage: {s3: {bucket: mine}}", "leave storage.type"),
        (f"bundled: {{storage: {{enabled: true}}}}\n{chart.LOCAL}", "leave storage.type"),
        ("database: {runnerUrlKey: ''}", "the bundled Postgres has a login for each part"),
        ("database: {apiUrlKey: DATABASE_URL}", "the bundled Postgres has a login for each part"),
        ("bundled: {postgres: {enabled: maybe}}", "at '/bundled/postgres/enabled'"),
        ("bundled: {postgres: {size: lots}}", "at '/bundled/postgres/size'"),
        ("api: {enabled: perhaps}", "at '/api/enabled'"),
    ],
)
def test_what_contradicts_a_bundled_server_is_refused(values: str, message: str) -> None:
    with pytest.raises(chart.Refused) as refused:
        chart.text(values)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("values", "served"),
    [
        (NOTHING, True),
        ("api: {enabled: false}", False),
        (chart.LEAST, False),
        (f"{chart.LEAST}\napi: {{enabled: auto}}", False),
        (f"{chart.LEAST}\napi: {{enabled: true}}", True),
    ],
)
def test_the_api_and_the_test_come_with_the_bundled_postgres(values: str, served: bool) -> None:
    """Where nobody has to make a login for it, or if the values ask for it."""
    found = {one["metadata"]["name"] for one in chart.objects(values)}
    assert ({"affirm-worker-api", "affirm-worker-test"} <= found) is served
    assert bool({"affirm-worker-api", "affirm-worker-test"} & found) is served


def test_templates_ask_for_the_api_by_its_helper() -> None:
    """`auto` is true to `if`, and means nothing by itself."""
    templates = {path.name: path.read_text() for path in (chart.CHART / "templates").rglob("*.*")}
    asking = {name for name, text in templates.items() if re.search(r"Values\.api\)?\.enabled", text)}
    assert asking == {"_bundled.tpl"}


def test_every_part_has_the_login_that_the_secret_has() -> None:
    [secret] = _of("Secret", NOTHING, "postgres")
    urls = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert {*urls} == {*URLS}
    passwords = set()
    for key, url in urls.items():
        match = re.fullmatch(r"postgresql://(\w+):([A-Za-z0-9]{24})@affirm-worker-postgres:5432/names", url)
        assert match is not None and match[1] == LOGINS[key]
        passwords.add(match[2])
    assert len(passwords) == len(URLS)
    pod = chart.controller_pod(NOTHING)
    by_name = {one["name"]: one for one in (*pod["initContainers"], *pod["containers"])}
    assert _key(by_name["migrate"]) == "OWNER_DATABASE_URL"
    assert _key(by_name["controller"]) == "DATABASE_URL"
    assert _key(chart.runner_config(NOTHING)) == "RUNNER_DATABASE_URL"
    assert _key(chart.api_pod(NOTHING)["containers"][0]) == "API_DATABASE_URL"


def test_keys_of_other_names_are_those_of_the_secret_too() -> None:
    values = "database: {urlKey: a, runnerUrlKey: b, ownerUrlKey: c, apiUrlKey: d}"
    [secret] = _of("Secret", values, "postgres")
    assert {*secret["data"]} == {*"abcd"}
    assert "names_owner" in base64.b64decode(secret["data"]["c"]).decode()
    [postgres] = _of("StatefulSet", values, "postgres")
    [prepare] = postgres["spec"]["template"]["spec"]["initContainers"]
    keys = [one["valueFrom"]["secretKeyRef"]["key"] for one in prepare["env"] if "valueFrom" in one]
    assert keys == ["c", "a", "b", "d"]


def test_secrets_of_ones_own_make_none() -> None:
    """For what renders without a cluster, where every rendering would make other passwords."""
    values = """
database: {existingSecret: urls}
storage: {existingSecret: keys}
bundled: {postgres: {enabled: true}, storage: {enabled: true}}
"""
    assert not [one for one in chart.objects(values) if one["kind"] == "Secret"]
    assert chart.text(values) == chart.text(f"{values}# again")
    for component, name in (("postgres", "urls"), ("storage", "keys")):
        [server] = _of("StatefulSet", values, component)
        assert {one["name"] for one in _secrets_of(server["spec"]["template"]["spec"])} == {name}


def test_what_outlives_the_release_says_so() -> None:
    for component in ("postgres", "storage"):
        [secret] = _of("Secret", NOTHING, component)
        assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        [server] = _of("StatefulSet", NOTHING, component)
        [claim] = server["spec"]["volumeClaimTemplates"]
        assert "persistentVolumeClaimRetentionPolicy" not in server["spec"]
        for labels in (secret["metadata"]["labels"], claim["metadata"]["labels"]):
            assert labels["app.kubernetes.io/instance"] == "affirm-worker"
    commands = chart.commands(chart.notes(NOTHING))
    ours = "-l app.kubernetes.io/instance=affirm-worker"
    assert f"kubectl --namespace affirm-worker delete pvc,secret,pod,parserpool {ours}" in commands
    assert "kubectl delete crd parserpools.affirm.dev" in commands


@SERVERS
def test_a_bundled_server_is_restricted_and_by_digest(component: str) -> None:
    [server] = _of("StatefulSet", NOTHING, component)
    template = server["spec"]["template"]
    secret = {(f"affirm-worker-{component}", key) for key in (URLS if component == "postgres" else KEYS)}
    template["spec"]["serviceAccountName"] = "default"
    assert violations(template, {"default"}, secret) == []
    for container in (*template["spec"].get("initContainers", ()), *template["spec"]["containers"]):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert re.fullmatch(r"docker\.io/[a-z/]+@sha256:[0-9a-f]{64}", container["image"])
    assert server["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


@SERVERS
def test_a_server_is_as_the_values_say(component: str) -> None:
    values = f"""
imagePullSecrets: [{{name: pull}}]
bundled:
  {component}:
    image: {{registry: registry.example, repository: own, tag: v2, digest: "", pullPolicy: Always}}
    size: 3Gi
    storageClassName: fast
    resources: {{limits: {{memory: 2Gi}}}}
    podSecurityContext: {{runAsUser: null}}
"""
    [server] = _of("StatefulSet", values, component)
    spec = server["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert (container["image"], container["imagePullPolicy"]) == ("registry.example/own:v2", "Always")
    assert container["resources"]["limits"] == {"memory": "2Gi"}
    assert "runAsUser" not in spec["securityContext"]
    assert spec["imagePullSecrets"] == [{"name": "pull"}]
    claim = server["spec"]["volumeClaimTemplates"][0]["spec"]
    assert (claim["storageClassName"], claim["resources"]["requests"]["storage"]) == ("fast", "3Gi")
    [default] = _of("StatefulSet", NOTHING, component)
    assert "storageClassName" not in default["spec"]["volumeClaimTemplates"][0]["spec"]


def test_openshift_chooses_the_user_of_the_servers() -> None:
    values = (chart.CHART / "openshift.yaml").read_text()
    for component in ("postgres", "storage"):
        [server] = _of("StatefulSet", values, component)
        context = server["spec"]["template"]["spec"]["securityContext"]
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & {*context}


@pytest.mark.parametrize(("component", "port"), [("postgres", 5432), ("storage", 7070)])
def test_our_pods_alone_reach_a_server(component: str, port: int) -> None:
    [policy] = _of("NetworkPolicy", NOTHING, component)
    [server] = _of("StatefulSet", NOTHING, component)
    [service] = _of("Service", NOTHING, component)
    labels = server["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()
    [rule] = policy["spec"]["ingress"]
    assert [one["port"] for one in rule["ports"]] == [one["port"] for one in service["spec"]["ports"]] == [port]
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in _of("Deployment", NOTHING)]
    pods += [one["metadata"]["labels"] for one in _of("Pod", NOTHING)]
    assert all(any(_selects(peer["podSelector"], one) for peer in rule["from"]) for one in pods)
    assert any(_selects(peer["podSelector"], {"app": "affirm-parser"}) for peer in rule["from"])
    for stranger in ({"app": "web"}, labels, pods[0] | {"app.kubernetes.io/instance": "other"}):
        assert not any(_selects(peer["podSelector"], stranger) for peer in rule["from"])


def test_network_policies_lead_to_the_bundled_servers() -> None:
    policies = [
        one["spec"]
        for one in chart.objects("networkPolicy: {enabled: true}")
        if one["kind"] == "NetworkPolicy" and "Egress" in one["spec"]["policyTypes"]
    ]
    assert policies
    for policy in policies:
        ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
        assert {5432, 7070} <= ports


def test_all_pods_find_the_bundled_storage() -> None:
    for container in (
        *chart.controller_pod(NOTHING)["containers"], *chart.api_pod(NOTHING)["containers"],
        chart.runner_config(NOTHING),
    ):  # fmt: skip
        env = _env(container)
        assert env["STORAGE_S3_ENDPOINT"] == "http://affirm-worker-storage:7070"
        assert (env["STORAGE_TYPE"], env["STORAGE_S3_BUCKET"]) == ("s3", "datasets")
        for key in KEYS:
            assert env[key]["secretKeyRef"] == {"name": "affirm-worker-storage", "key": key}


def test_migrations_wait_for_the_servers() -> None:
    wait, migrate = chart.controller_pod(NOTHING)["initContainers"]
    assert migrate["name"] == "migrate"
    assert _env(wait)["WAIT_FOR"] == "affirm-worker-postgres:5432 affirm-worker-storage:7070"
    assert wait["args"] == [(BUNDLED / "wait.py").read_text()]


def test_its_roles_are_those_of_the_docs() -> None:
    page = OPERATIONS.read_text()
    blocks = re.findall(r"```sql\n(create role (?:affirm|names)_owner.*?)```", page, re.DOTALL)
    documented = [line.replace(" password '…'", "").rstrip(";") for block in blocks for line in block.splitlines()]
    made = (BUNDLED / "create.sql").read_text().splitlines()
    assert made == [*documented, "create database names owner names_owner"]


def test_helm_test_uploads_a_real_file_by_the_api() -> None:
    [pod] = _of("Pod", NOTHING)
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    pod_spec = {"spec": pod["spec"]}
    secrets = {("affirm-worker-postgres", "API_DATABASE_URL"), *(("affirm-worker-storage", key) for key in KEYS)}
    assert violations(pod_spec, {"affirm-worker-api"}, secrets) == []
    [container] = pod["spec"]["containers"]
    assert container["image"] == chart.api_pod(NOTHING)["containers"][0]["image"]
    assert _env(container)["AFFIRM_WORKER_API"] == "http://affirm-worker-api:80"
    [files] = [
        one for one in chart.objects(NOTHING) if one["metadata"]["name"] == "affirm-worker-test" and "binaryData" in one
    ]
    name = "20150309_BDM_Top-100-Baby-Names-2010.csv"
    given = base64.b64decode(files["binaryData"][name])
    assert given == (chart.ROOT / "tests" / "data" / "au" / "qld" / name).read_bytes()
    assert name.encode() in base64.b64decode(files["binaryData"]["upload.py"])


def test_the_notes_have_three_commands_and_a_warning() -> None:
    said = chart.notes(NOTHING)
    assert "for trying it out, without a backup" in said
    commands = chart.commands(said)
    assert "kubectl --namespace affirm-worker port-forward service/affirm-worker-api 8080:80" in commands
    assert any(one.endswith("-c controller -- affirm-worker keys make me --role admin") for one in commands)
    assert "affirm-worker upload yob2023.txt --country US --wait" in commands
    assert "create secret" not in said
    assert len(said.splitlines()) < 50
    assert "submit -" in chart.notes("api: {enabled: false}")


def test_releases_say_what_is_bundled_in_them() -> None:
    """Else nobody could refuse to leave it."""
    config = chart.only("ConfigMap", NOTHING, "controller")
    assert config["metadata"]["annotations"] == {"affirm.dev/bundled": "postgres,storage"}
    alone = chart.only("ConfigMap", "bundled: {postgres: {enabled: true}}\nstorage: {s3: {bucket: mine}}", "controller")
    assert alone["metadata"]["annotations"] == {"affirm.dev/bundled": "postgres"}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("values", "made_by"),
    [
        (NOTHING, "controller"),
        ("crds: {install: false}", None),
        ("pool: {parserPool: false}", None),
        ("pool: {parserPool: true}", "release"),
        (chart.LEAST, None),
        (f"{chart.LEAST}\npool: {{parserPool: true}}", "release"),
        (f"{chart.LEAST}\npool: {{parserPool: null}}", None),  # of a chart that knew none
    ],
)
def test_the_pool_is_a_parser_pool_where_asked_for(values: str, made_by: str | None, known: bool) -> None:
    """Whether the cluster knows ParserPools before is no matter."""
    options = ("--api-versions", "affirm.dev/v1/ParserPool") if known else ()
    kinds = [one["kind"] for one in chart.objects(values, *options)]
    assert kinds.count("ParserPool") == (made_by == "release")
    [controller] = chart.controller_pod(values)["containers"]
    assert ("POOL_MAKE_PARSER_POOL" in _env(controller)) == (made_by == "controller")
    rules = [one["resources"] for one in chart.only("Role", values)["rules"] if "create" in one["verbs"]]
    assert (["parserpools"] in rules) == (made_by == "controller")


def test_the_parser_pool_leaves_its_maximum_to_kubectl_scale() -> None:
    """Unless the values have one of their own. It stays after an uninstall: without it, its jobs stay queued."""
    for values, spec in (
        ("{parserPool: true}", {"controller": "affirm-worker"}),
        ("{parserPool: true, maxParallelism: 3, maxPending: 2}",
         {"controller": "affirm-worker", "maxParallelism": 3, "maxPendingPods": 2}),
        ("{parserPool: true, maxParallelism: null}\nfullnameOverride: mine", {"controller": "mine"}),
    ):  # fmt: skip
        [pool] = [one for one in chart.objects(f"pool: {values}") if one["kind"] == "ParserPool"]
        assert (pool["metadata"]["name"], pool["spec"]) == ("default", spec)
        assert pool["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_servers_images_come_from_where_all_do() -> None:
    values = "global: {imageRegistry: mirror.example, imagePullSecrets: [pull]}"
    for component in ("postgres", "storage"):
        [server] = _of("StatefulSet", values, component)
        pod = server["spec"]["template"]["spec"]
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert re.fullmatch(r"mirror\.example/[a-z/]+@sha256:[0-9a-f]{64}", container["image"])
        assert pod["imagePullSecrets"] == [{"name": "pull"}]
        own = f"{values}\nbundled: {{{component}: {{image: {{registry: own.example}}}}}}"
        [server] = _of("StatefulSet", own, component)
        assert server["spec"]["template"]["spec"]["containers"][0]["image"].startswith("own.example/")


def _bundled(values: str) -> set[str]:
    return {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in _of("StatefulSet", values)}


def _of(kind: str, values: str, component: str = "") -> list[dict[str, Any]]:
    label = "app.kubernetes.io/component"
    return [
        one
        for one in chart.objects(values)
        if one["kind"] == kind and component in ("", one["metadata"]["labels"].get(label))
    ]


def _env(container: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") or one["valueFrom"] for one in container["env"]}


def _key(container: dict[str, Any]) -> str:
    found: str = _env(container)["DATABASE_URL"]["secretKeyRef"]["key"]
    return found


def _secrets_of(pod: dict[str, Any]) -> Iterator[dict[str, str]]:
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        for one in container.get("env", ()):
            if "secretKeyRef" in one.get("valueFrom", {}):
                yield one["valueFrom"]["secretKeyRef"]


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ())
    )
