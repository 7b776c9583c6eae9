"""The Kubernetes Job of a run, as a plain dict for the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from controller.pools.pod_rules import Allowed
from controller.pools.quantities import format_bytes
from controller.pools.strategic_merge import strategic_merge
from dataset_jobs.model.keys import RunKey

APP = "affirm-parser"
CONTAINER = "parser-runner"
LABEL_INSTALLATION = "affirm.dev/installation"
LABEL_JOB = "affirm.dev/job-id"
LABEL_EPOCH = "affirm.dev/epoch"
LABEL_POOL = "affirm.dev/pool"
LABEL_RELEASE = "app.kubernetes.io/instance"
ANNOTATION_DATASET = "affirm.dev/dataset-id"

_FROM_POD = {"POD_UID": "metadata.uid", "POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName"}

# Asks the Cluster Autoscaler and Karpenter to let a run end before its node goes.
_DO_NOT_EVICT = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}


POD_SECURITY_CONTEXT: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "fsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SECURITY_CONTEXT: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""Both together meet the restricted profile of the Pod Security Standards."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A runner's memory, in bytes.

    Args:
        request, limit: as in the template's resources. Without a request Kubernetes takes the limit.
        ceiling: the most that doubling may reach.
    """

    request: int
    limit: int
    ceiling: int

    def doubled(self, times: int) -> "Memory":
        """The memory after `times` runs that were out of it; at most the ceiling, at least as in the template."""
        limit = max(self.limit, min(self.limit * 2**times, self.ceiling))
        return Memory(min(self.request * 2**times, limit), limit, self.ceiling)


@dataclass(frozen=True, slots=True)
class RunnerTemplate:
    """How runner pods are made: the part of the manifest that is the same for every run of a pool.

    The fields are those of Kubernetes' own PodSpec and Container, as plain JSON values. Five are different: `memory`
    raises `resources` after runs that were out of memory; `own_pod_template`, the installation's, and `pod_template`, a
    pool's, are PodTemplateSpecs that are merged over the pod of the other fields, in this order; `allowed` is what
    ParserPools may name besides; and `unknown` are keys of the description that this version does not know.
    """

    image: str
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    service_account_name: str = ""
    resources: dict[str, Any] = field(default_factory=dict)
    memory: "Memory | None" = None
    deadline_seconds: int = 900
    env: tuple[dict[str, Any], ...] = ()
    env_from: tuple[dict[str, Any], ...] = ()
    node_selector: dict[str, str] = field(default_factory=dict)
    tolerations: tuple[dict[str, Any], ...] = ()
    affinity: dict[str, Any] = field(default_factory=dict)
    topology_spread_constraints: tuple[dict[str, Any], ...] = ()
    priority_class_name: str = ""
    volumes: tuple[dict[str, Any], ...] = ()
    volume_mounts: tuple[dict[str, Any], ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    pod_security_context: dict[str, Any] = field(default_factory=lambda: POD_SECURITY_CONTEXT)
    security_context: dict[str, Any] = field(default_factory=lambda: SECURITY_CONTEXT)
    own_pod_template: dict[str, Any] = field(default_factory=dict)
    pod_template: dict[str, Any] = field(default_factory=dict)
    allowed: Allowed = field(default_factory=Allowed)
    unknown: tuple[str, ...] = ()


def with_memory(template: RunnerTemplate, doublings: int) -> RunnerTemplate:
    """The template for a job after `doublings` runs that were out of memory."""
    if template.memory is None or doublings == 0:
        return template
    memory = template.memory.doubled(doublings)
    resources = {**template.resources}
    resources["limits"] = {**resources.get("limits", {}), "memory": format_bytes(memory.limit)}
    resources["requests"] = {**resources.get("requests", {}), "memory": format_bytes(memory.request)}
    return replace(template, resources=resources, memory=memory)


def job_name(key: RunKey) -> str:
    """The name of a run's Job: at most 57 characters, so that names of pods stay within 63."""
    return f"{APP}-{key.job_id.hex}-{key.epoch}"


def job_manifest(
    key: RunKey,
    dataset_id: UUID,
    pool: str,
    installation: UUID,
    template: RunnerTemplate,
    variables: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The Job that runs one run once. Kubernetes never retries it; only Postgres does.

    Args:
        key: the run.
        dataset_id: for people who look at the Job.
        pool: the pool's name; a label value by its CHECK.
        installation: whose Job it is.
        template: how its pod is made.
        variables: further ones for the runner's environment; they win over the template's.
    """
    labels = {
        "app": APP,
        "app.kubernetes.io/name": "affirm-worker",
        "app.kubernetes.io/component": "parser-runner",
        "app.kubernetes.io/managed-by": "affirm-worker",
        "app.kubernetes.io/part-of": "affirm-name",
        LABEL_INSTALLATION: str(installation),
        LABEL_JOB: str(key.job_id),
        LABEL_EPOCH: str(key.epoch),
        LABEL_POOL: pool,
    }
    annotations = {ANNOTATION_DATASET: str(dataset_id)}
    metadata = {
        "name": job_name(key),
        "labels": template.labels | labels,
        "annotations": template.annotations | annotations,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            # Kubernetes must replace no pod; and a Job whose pod was disrupted says so when the pod is gone.
            "podFailurePolicy": {
                "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": _pod(key, template, labels, annotations, variables or {}),
        },
    }


def _pod(
    key: RunKey,
    template: RunnerTemplate,
    labels: dict[str, str],
    annotations: dict[str, str],
    variables: Mapping[str, str],
) -> dict[str, Any]:
    """The pod's template. The fields that the protocol needs are set last, and win over those of templates."""
    described = strategic_merge(_described(template), template.own_pod_template)
    pod = strategic_merge(described, template.pod_template)
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    containers = spec.get("containers") or described["spec"]["containers"]
    container = next(one for one in containers if one.get("name") == CONTAINER)
    return pod | {
        "metadata": metadata
        | {
            "labels": (metadata.get("labels") or {}) | labels,
            "annotations": (metadata.get("annotations") or {}) | annotations,
        },
        "spec": spec
        | {
            "restartPolicy": "Never",
            # The pod's own deadline: the Job's counts waiting time, and deletes the pod with its evidence.
            "activeDeadlineSeconds": template.deadline_seconds,
            # No other container: the pod must end with this one. And it must not run twice, whatever a template says.
            "containers": [_without_restarts(container) | _protocol(key, container.get("env") or (), variables)],
        },
    }


def _without_restarts(container: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in container.items() if name not in ("restartPolicy", "restartPolicyRules")}


def _protocol(key: RunKey, env: Iterable[dict[str, Any]], variables: Mapping[str, str]) -> dict[str, Any]:
    """The runner's arguments and environment, and where Kubernetes finds its termination message."""
    return {
        "args": ["--job-id", str(key.job_id), "--epoch", str(key.epoch)],
        "env": [
            *(one for one in env if one.get("name") not in _FROM_POD.keys() | variables.keys()),
            *({"name": name, "value": value} for name, value in variables.items()),
            *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in _FROM_POD.items()),
        ],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def _described(template: RunnerTemplate) -> dict[str, Any]:
    """The pod by the template's plain fields."""
    spec: dict[str, Any] = {
        "terminationGracePeriodSeconds": 30,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": template.pod_security_context,
        "containers": [_container(template)],
        "volumes": [{"name": "tmp", "emptyDir": {}}, *template.volumes],
    }
    optional = {
        "serviceAccountName": template.service_account_name,
        "imagePullSecrets": [{"name": name} for name in template.image_pull_secrets],
        "nodeSelector": template.node_selector,
        "tolerations": list(template.tolerations),
        "affinity": template.affinity,
        "topologySpreadConstraints": list(template.topology_spread_constraints),
        "priorityClassName": template.priority_class_name,
    }
    return {
        "metadata": {"labels": template.labels, "annotations": _DO_NOT_EVICT | template.annotations},
        "spec": spec | {name: value for name, value in optional.items() if value},
    }


def _container(template: RunnerTemplate) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": template.image,
        "imagePullPolicy": template.image_pull_policy,
        "env": list(template.env),
        "envFrom": list(template.env_from),
        "resources": template.resources,
        "securityContext": template.security_context,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, *template.volume_mounts],
    }
