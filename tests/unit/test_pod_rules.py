"""What a ParserPool may not ask of a pod: who writes one gets no more than a runner has."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.pools import resource
from controller.pools.pod_rules import Allowed
from controller.pools.resource import PoolRefused, read_pool
from controller.pools.runner_pod import RunnerTemplate, job_manifest
from controller.pools.spec import PoolSpec
from dataset_jobs.model.keys import RunKey
from tests.unit.restricted import violations

OWN = RunnerTemplate(
    "runner:1",
    service_account_name="runner",
    image_pull_secrets=("pull",),
    env=({"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "database", "key": "runner-url"}}},),
    env_from=({"secretRef": {"name": "storage"}},),
    volumes=(
        {"name": "files", "persistentVolumeClaim": {"claimName": "files", "readOnly": True}},
        {"name": "ca", "secret": {"secretName": "database", "items": [{"key": "ca", "path": "ca.crt"}]}},
    ),
)
ACCOUNTS = {"runner"}
SECRETS = {("database", "runner-url"), ("database", "ca"), ("storage", "*"), ("pull", "pull")}
GOOD = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def read(spec: dict[str, Any], own: RunnerTemplate = OWN) -> dict[str, Any]:
    """The PodTemplateSpec that a ParserPool leads to."""
    template = read_pool("large", spec, 3, PoolSpec("base", template=own)).template
    assert template is not None
    made = job_manifest(RunKey(UUID(int=1), 1), UUID(int=2), "large", UUID(int=3), template)
    pod: dict[str, Any] = made["spec"]["template"]
    return pod


def pod(**spec: Any) -> dict[str, Any]:
    return {"podTemplate": {"spec": spec}}


def container(**fields: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "parser-runner", **fields}])


def sidecar(**fields: Any) -> dict[str, Any]:
    return pod(initContainers=[{"name": "beside", "image": "x", "securityContext": GOOD, **fields}])


def volume(**source: Any) -> dict[str, Any]:
    return pod(volumes=[{"name": "x", **source}])


def context(**fields: Any) -> dict[str, Any]:
    return container(securityContext=fields)


RUNNER = "containers[0].securityContext"
REFUSED = [
    (pod(hostNetwork=True), "hostNetwork"),
    (pod(hostPID=True), "hostPID"),
    (pod(hostIPC=True), "hostIPC"),
    (pod(serviceAccountName="affirm-worker"), "serviceAccountName"),
    (pod(serviceAccountName=None), "serviceAccountName"),
    (pod(serviceAccount="affirm-worker"), "serviceAccount"),
    (pod(automountServiceAccountToken=True), "automountServiceAccountToken"),
    (pod(automountServiceAccountToken=None), "automountServiceAccountToken"),
    (pod(securityContext=None), f"{RUNNER}.runAsNonRoot"),
    (pod(securityContext={"runAsNonRoot": None}), f"{RUNNER}.runAsNonRoot"),
    (pod(securityContext={"runAsNonRoot": False}), "securityContext.runAsNonRoot"),
    (pod(securityContext={"runAsUser": 0}), "securityContext.runAsUser"),
    (pod(securityContext={"seccompProfile": None}), f"{RUNNER}.seccompProfile.type"),
    (pod(securityContext={"seccompProfile": {"type": "Unconfined"}}), "securityContext.seccompProfile.type"),
    (pod(securityContext={"appArmorProfile": {"type": "Unconfined"}}), "securityContext.appArmorProfile.type"),
    (pod(securityContext={"seLinuxOptions": {"type": "spc_t"}}), "securityContext.seLinuxOptions"),
    (pod(securityContext={"seLinuxOptions": {"user": "u"}}), "securityContext.seLinuxOptions"),
    (pod(securityContext={"windowsOptions": {"hostProcess": True}}), "securityContext.windowsOptions.hostProcess"),
    (pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}), "securityContext.sysctls[0]"),
    (context(privileged=True), f"{RUNNER}.privileged"),
    (context(allowPrivilegeEscalation=True), f"{RUNNER}.allowPrivilegeEscalation"),
    (context(allowPrivilegeEscalation=None), f"{RUNNER}.allowPrivilegeEscalation"),
    (container(securityContext=None), f"{RUNNER}.allowPrivilegeEscalation"),
    (context(capabilities={"drop": ["KILL"]}), f"{RUNNER}.capabilities.drop"),
    (context(capabilities=None), f"{RUNNER}.capabilities.drop"),
    (context(capabilities={"add": ["SYS_ADMIN"]}), f"{RUNNER}.capabilities.add"),
    (context(procMount="Unmasked"), f"{RUNNER}.procMount"),
    (context(runAsNonRoot=False), f"{RUNNER}.runAsNonRoot"),
    (context(runAsUser=0), f"{RUNNER}.runAsUser"),
    (context(seccompProfile={"type": "Unconfined"}), f"{RUNNER}.seccompProfile.type"),
    (context(appArmorProfile={"type": "Unconfined"}), f"{RUNNER}.appArmorProfile.type"),
    (context(seLinuxOptions={"role": "r"}), f"{RUNNER}.seLinuxOptions"),
    (context(windowsOptions={"hostProcess": True}), f"{RUNNER}.windowsOptions.hostProcess"),
    (container(ports=[{"containerPort": 1}, {"containerPort": 80, "hostPort": 80}]), "containers[0].ports[1].hostPort"),
    (container(livenessProbe={"httpGet": {"host": "10.0.0.1"}}), "containers[0].livenessProbe.httpGet.host"),
    (container(readinessProbe={"tcpSocket": {"host": "10.0.0.1"}}), "containers[0].readinessProbe.tcpSocket.host"),
    (container(lifecycle={"preStop": {"httpGet": {"host": "x"}}}), "containers[0].lifecycle.preStop.httpGet.host"),
    (sidecar(securityContext=None), "initContainers[beside].securityContext.allowPrivilegeEscalation"),
    (sidecar(securityContext={**GOOD, "privileged": True}), "initContainers[beside].securityContext.privileged"),
    (sidecar(securityContext={**GOOD, "runAsUser": 0}), "initContainers[beside].securityContext.runAsUser"),
    (pod(ephemeralContainers=[{"name": "e"}]), "ephemeralContainers[e].securityContext.allowPrivilegeEscalation"),
    (volume(hostPath={"path": "/"}), "volumes[x].hostPath"),
    (volume(nfs={"server": "s", "path": "/"}), "volumes[x].nfs"),
    (volume(iscsi={}), "volumes[x].iscsi"),
    (volume(image={"reference": "x"}), "volumes[x].image"),
    (volume(csi={"nodePublishSecretRef": {"name": "other"}}), "volumes[x].csi.nodePublishSecretRef"),
    (volume(secret={"secretName": "other"}), "volumes[x].secret"),
    (volume(secret={"secretName": "database"}), "volumes[x].secret"),
    (volume(secret={"secretName": "database", "items": [{"key": "owner-url", "path": "u"}]}), "volumes[x].secret"),
    (volume(projected={"sources": [{"secret": {"name": "other"}}]}), "volumes[x].projected.sources[0].secret"),
    (
        volume(projected={"sources": [{"configMap": {"name": "c"}}, {"serviceAccountToken": {"path": "t"}}]}),
        "volumes[x].projected.sources[1].serviceAccountToken",
    ),
    (volume(projected={"sources": [{"podCertificate": {}}]}), "volumes[x].projected.sources[0].podCertificate"),
    (pod(imagePullSecrets=[{"name": "other"}]), "imagePullSecrets[1]"),
    (
        container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "database", "key": "owner-url"}}}]),
        "containers[0].env[A].valueFrom.secretKeyRef",
    ),
    (container(envFrom=[{"secretRef": {"name": "database"}}]), "containers[0].envFrom[0].secretRef"),
    (container(envFrom=[{"secretRef": {"name": "pull"}}]), "containers[0].envFrom[0].secretRef"),
    (sidecar(envFrom=[{"secretRef": {"name": "other"}}]), "initContainers[beside].envFrom[0].secretRef"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "path"), REFUSED, ids=[f"{number}-{path}" for number, (_, path) in enumerate(REFUSED)]
)
def test_a_field_that_gives_more_than_runners_have_is_refused(spec: dict[str, Any], path: str) -> None:
    with pytest.raises(PoolRefused) as refused:
        read(spec)
    assert str(refused.value).startswith(f"spec.podTemplate.spec.{path}: ")


def test_an_annotation_that_unconfines_is_refused_too() -> None:
    name = "container.apparmor.security.beta.kubernetes.io/parser-runner"
    with pytest.raises(PoolRefused, match=r"spec\.podTemplate\.metadata\.annotations\[container"):
        read({"podTemplate": {"metadata": {"annotations": {name: "unconfined"}}}})
    assert read({"podTemplate": {"metadata": {"annotations": {name: "runtime/default"}}}})


@pytest.mark.parametrize(
    "spec",
    [
        {"runner": {"serviceAccountName": "affirm-worker"}},
        {"runner": {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}},
        {"runner": {"volumes": [{"name": "files", "hostPath": {"path": "/"}}]}},
        {"runner": {"envFrom": [{"secretRef": {"name": "database"}}]}},
        {"runner": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "other", "key": "k"}}}]}},
    ],
)
def test_the_plain_fields_are_no_way_around(spec: dict[str, Any]) -> None:
    with pytest.raises(PoolRefused):
        read(spec)


@pytest.mark.parametrize(
    "spec",
    [
        pod(hostAliases=[{"ip": "10.0.0.7", "hostnames": ["x"]}]),
        pod(volumes=[{"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "c", "configMap": {"name": "c"}}]),
        container(command=["nice", "parser-runner"], securityContext={"capabilities": {"add": ["NET_BIND_SERVICE"]}}),
        container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "database", "key": "runner-url"}}}]),
        container(envFrom=[{"secretRef": {"name": "storage"}}]),
        volume(secret={"secretName": "storage"}),
        sidecar(restartPolicy="Always", envFrom=[{"configMapRef": {"name": "c"}}]),
        pod(imagePullSecrets=[{"name": "pull"}]),
        pod(securityContext={"sysctls": [{"name": "net.ipv4.ip_local_port_range", "value": "1024 65535"}]}),
    ],
)
def test_what_runners_have_anyway_is_accepted(spec: dict[str, Any]) -> None:
    assert not violations(read(spec), ACCOUNTS, SECRETS)


def test_the_installation_may_allow_secrets_and_accounts_by_name() -> None:
    own = replace(OWN, allowed=Allowed(frozenset({"other"}), frozenset({"reader"})))
    assert read(container(envFrom=[{"secretRef": {"name": "other"}}]), own)
    assert read(pod(imagePullSecrets=[{"name": "other"}]), own)
    assert read(volume(secret={"secretName": "other"}), own)
    assert read(pod(serviceAccountName="reader"), own)["spec"]["serviceAccountName"] == "reader"
    with pytest.raises(PoolRefused, match="serviceAccountName"):
        read(pod(serviceAccountName="affirm-worker"), own)
    with pytest.raises(PoolRefused, match="automountServiceAccountToken"):
        read(pod(serviceAccountName="reader", automountServiceAccountToken=True), own)


def test_what_the_installation_chose_for_its_runners_stays() -> None:
    """It may give its own pods a folder of the node, or let OpenShift choose the user; a pool may not change that."""
    weak = replace(OWN, security_context={}, volumes=({"name": "data", "hostPath": {"path": "/data"}},))
    assert read(pod(hostAliases=[]), weak)["spec"]["volumes"][1]["hostPath"] == {"path": "/data"}
    with pytest.raises(PoolRefused, match=r"volumes\[data\]\.hostPath"):
        read(pod(volumes=[{"name": "data", "hostPath": {"path": "/"}}]), weak)
    with pytest.raises(PoolRefused, match="privileged"):
        read(context(privileged=True), weak)


@pytest.mark.parametrize("junk", ["x", 3, True, ["x"], [["x"]]])
@pytest.mark.parametrize("name", ["volumes", "securityContext", "initContainers"])
def test_what_kubernetes_would_not_read_is_refused(name: str, junk: Any) -> None:
    with pytest.raises(PoolRefused, match=rf"spec\.podTemplate\.spec\.{name}"):
        read(pod(**{name: junk}))


no_or = st.sampled_from
names = no_or(["database", "storage", "other", "pull"])
flags = no_or([None, True, False])
profiles = no_or([None, {"type": "RuntimeDefault"}, {"type": "Localhost"}, {"type": "Unconfined"}, {}])
contexts = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "privileged": flags,
        "allowPrivilegeEscalation": flags,
        "runAsNonRoot": flags,
        "runAsUser": no_or([None, 0, 1, 65532]),
        "seccompProfile": profiles,
        "appArmorProfile": profiles,
        "procMount": no_or([None, "Default", "Unmasked"]),
        "capabilities": no_or(
            [None, {}, {"drop": ["ALL"]}, {"add": ["NET_BIND_SERVICE"]}, {"drop": ["ALL"], "add": ["SYS_PTRACE"]}]
        ),
        "seLinuxOptions": no_or([None, {}, {"type": "container_t"}, {"type": "spc_t"}, {"role": "x"}]),
        "windowsOptions": no_or([None, {}, {"hostProcess": True}]),
    },
)
sources = st.one_of(
    st.builds(lambda name: {"secret": {"secretName": name}}, names),
    st.builds(
        lambda name, key: {"secret": {"secretName": name, "items": [{"key": key, "path": "x"}]}},
        names,
        no_or(["ca", "runner-url", "owner-url"]),
    ),
    st.builds(lambda name: {"projected": {"sources": [{"secret": {"name": name}}]}}, names),
    no_or(
        [
            {"emptyDir": {}},
            {"configMap": {"name": "c"}},
            {"hostPath": {"path": "/"}},
            {"nfs": {"server": "s", "path": "/"}},
            {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {"emptyDir": None, "hostPath": {"path": "/"}},
            {"hostPath": None, "emptyDir": {}},
        ]
    ),
)
volumes = st.lists(
    st.builds(lambda name, source: {"name": name, **source}, no_or(["files", "ca", "tmp", "x"]), sources), max_size=3
)
env = st.lists(
    st.builds(
        lambda name, secret, key: {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}},
        no_or(["DATABASE_URL", "A"]),
        names,
        no_or(["runner-url", "owner-url", "ca"]),
    ),
    max_size=2,
)
env_from = st.lists(st.builds(lambda name: {"secretRef": {"name": name}}, names), max_size=2)
fields = {"securityContext": contexts, "env": env, "envFrom": env_from}
more = {
    "ports": no_or([None, [], [{"containerPort": 1, "hostPort": 1}], [{"containerPort": 1, "hostPort": 0}]]),
    "livenessProbe": no_or([None, {"httpGet": {"host": "x"}}, {"tcpSocket": {"host": ""}}]),
    "lifecycle": no_or([None, {"postStart": {"tcpSocket": {"host": "x"}}}]),
}
runners = st.fixed_dictionaries({"name": st.just("parser-runner")}, optional={**fields, **more})
sidecars = st.fixed_dictionaries(
    {"name": no_or(["a", "b"]), "image": st.just("x")}, optional={**fields, **more, "securityContext": st.just(GOOD)}
)
pods = st.fixed_dictionaries(
    {},
    optional={
        "hostNetwork": flags,
        "hostPID": flags,
        "hostIPC": flags,
        "automountServiceAccountToken": flags,
        "serviceAccountName": no_or([None, "", "runner", "affirm-worker"]),
        "serviceAccount": no_or([None, "affirm-worker"]),
        "securityContext": contexts
        | no_or([{"sysctls": [{"name": name, "value": "1"}]} for name in ("net.ipv4.ip_local_port_range", "kernel.x")]),
        "volumes": volumes,
        "imagePullSecrets": st.lists(st.builds(lambda name: {"name": name}, names), max_size=2),
        "initContainers": st.lists(sidecars, max_size=2),
        "containers": st.lists(runners, max_size=2),
    },
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "podTemplate": st.fixed_dictionaries({"spec": pods}),
        "runner": st.fixed_dictionaries(
            {},
            optional={
                "volumes": volumes,
                "env": env,
                "envFrom": env_from,
                "serviceAccountName": no_or([None, "runner", "affirm-worker"]),
            },
        ),
    },
)


@given(specs)
def test_no_accepted_pool_yields_a_pod_that_violates(spec: dict[str, Any]) -> None:
    try:
        made = read(spec)
    except PoolRefused:
        return
    assert not violations(made, ACCOUNTS, SECRETS)


@given(specs)
def test_only_what_violates_is_refused(spec: dict[str, Any]) -> None:
    """The other way round: no pool is refused for nothing."""
    try:
        read(spec)
    except PoolRefused:
        assert violations(_unchecked(spec), ACCOUNTS, SECRETS)


def _unchecked(spec: dict[str, Any]) -> dict[str, Any]:
    """The pod as it would be made without the rules."""
    said = resource._Spec.model_validate(spec)
    made = job_manifest(RunKey(UUID(int=1), 1), UUID(int=2), "large", UUID(int=3), resource._template(said, OWN))
    pod: dict[str, Any] = made["spec"]["template"]
    return pod
