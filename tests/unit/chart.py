"""The chart as helm renders it, for the tests of the chart."""

import json
import os
import pickle
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import binaries

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "affirm-worker"
MANIFESTS = ROOT / "manifests"

LEAST = "storage: {s3: {bucket: affirm-datasets}}"
"""The one value that has no default and is needed."""

EVERYTHING = """
image: {registry: "registry.example:5000/names", tag: 1.0.0, digest: "sha256:%s"}
imagePullSecrets: [{name: pull}]
database:
  {existingSecret: names-database, urlKey: url, runnerUrlKey: runner-url, ownerUrlKey: owner-url,
   directUrlKey: direct-url, maxConnections: 20,
   caSecret: names-database-ca, caKey: ca.pem}
storage:
  s3: {bucket: affirm-datasets, region: eu-central-1, endpoint: "https://s3.example", prefix: names/}
  existingSecret: names-storage
pool: {name: nightly, maxParallelism: 100000}
serviceAccount: {annotations: {role: controller}}
controller:
  replicas: 2
  extraEnv: [{name: AWS_MAX_ATTEMPTS, value: "5"}]
  extraVolumes: [{name: ca, configMap: {name: ca}}]
  extraVolumeMounts: [{name: ca, mountPath: /etc/ca}]
  nodeSelector: {disk: ssd}
  tolerations: [{key: names, operator: Exists}]
  affinity: {nodeAffinity: {}}
  priorityClassName: high
  podLabels: {team: statistics, app.kubernetes.io/component: other}
  podAnnotations: {note: x}
metrics: {scrapeAnnotations: true, podMonitor: {enabled: true, labels: {release: prometheus}, interval: 30s}}
runner:
  image: {registry: registry.example, tag: 2.0.0}
  extraEnv: [{name: AWS_MAX_ATTEMPTS, value: "5"}]
  extraEnvFrom: [{configMapRef: {name: more}}]
  extraVolumes: [{name: ca, configMap: {name: ca}}]
  extraVolumeMounts: [{name: ca, mountPath: /etc/ca}]
  nodeSelector: {disk: ssd}
  tolerations: [{key: names, operator: Exists}]
  affinity: {nodeAffinity: {}}
  priorityClassName: low
  podLabels: {team: statistics}
  podAnnotations: {note: x}
  serviceAccount: {annotations: {role: reader}}
""" % ("a" * 64)
"""Values that differ from the defaults wherever a template does something with them."""

LOCAL = "storage: {type: local, path: /data, local: {existingClaim: uploads}}"
"""Files on a volume that every pod mounts, and no S3."""


API = (
    EVERYTHING
    + """
limits: {fileMib: 100}
api:
  enabled: true
  replicas: 3
  uploadsAtOnce: 4
  readOnly: true
  publicNames: true
  trustedProxies: [10.1.0.0/16, "fd00::/8"]
  proxyRoles: {data-team: uploader, "*": viewer}
  service: {type: NodePort, port: 8081, annotations: {note: x}}
  ingress:
    enabled: true
    className: nginx
    annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 100m}
    hosts: [names.example]
    tls: [{hosts: [names.example], secretName: names-tls}]
  httpRoute: {enabled: true, parentRefs: [{name: gate, namespace: gates}], hostnames: [names.example]}
  networkPolicy:
    enabled: true
    from: [{namespaceSelector: {matchLabels: {name: gates}}}]
    egress: [{ports: [{port: 5432}]}]
  serviceAccount: {annotations: {role: writer}}
  extraEnv: [{name: AWS_MAX_ATTEMPTS, value: "5"}]
  extraVolumes: [{name: ca, configMap: {name: ca}}]
  extraVolumeMounts: [{name: ca, mountPath: /etc/ca}]
  nodeSelector: {disk: ssd}
  tolerations: [{key: names, operator: Exists}]
  affinity: {nodeAffinity: {}}
  topologySpreadConstraints: [{maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
  priorityClassName: high
  podLabels: {team: statistics, app.kubernetes.io/component: other}
  podAnnotations: {note: x}
"""
)
"""The same with all that the API may have."""

_POD_OPTIONS = """
  revisionHistoryLimit: 0
  strategy: {type: Recreate}
  podDisruptionBudget: {minAvailable: 50%}
  startupProbe: {failureThreshold: 150}
  livenessProbe: {periodSeconds: 30, timeoutSeconds: 9}
  readinessProbe: {initialDelaySeconds: 1}
  terminationGracePeriodSeconds: 90
  topologySpreadConstraints:
    - {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}
    - {maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {team: names}}}
  priorityClassName: high
  runtimeClassName: gvisor
  hostUsers: false
  dnsPolicy: None
  dnsConfig: {nameservers: [10.0.0.10]}
  hostAliases: [{ip: 10.0.0.5, hostnames: [database.example]}]
  extraInitContainers: [{name: proxy, image: proxy, restartPolicy: Always}]
"""
PRODUCTION = (
    f"{LEAST}\ncontroller:\n  replicas: 2{_POD_OPTIONS}api:\n  enabled: true{_POD_OPTIONS}"
    + """
commonLabels: {cost-centre: "42", app.kubernetes.io/name: other}
commonAnnotations: {contact: names@example.org}
metrics: {podMonitor: {enabled: true}}
extraObjects:
  - apiVersion: v1
    kind: ResourceQuota
    metadata: {name: "{{ .Release.Name }}-more"}
  - |
    apiVersion: v1
    kind: Secret
    metadata:
      name: {{ include "affirm-worker.fullname" . }}-text
"""
)
"""What pods of the controller and of the API may have by values, and what all objects may have."""

LEAST_API = LEAST + "\napi: {enabled: true}"
"""The API as its defaults make it."""

NARROW = (
    LEAST_API
    + """
networkPolicy:
  enabled: true
  database: {cidrs: [10.1.2.0/24], ports: [6432]}
  storage: {cidrs: [52.0.0.0/8]}
  kubernetesApi: {cidrs: [10.0.0.1/32]}
"""
)
WIDE = LEAST_API + "\nnetworkPolicy: {enabled: true}"
"""NetworkPolicies that name what pods reach, and such that name nothing."""

RUNNERS = """
runner:
  nodeSelector: {disk: ssd}
  extraVolumeMounts: [{name: certificates, mountPath: /etc/certificates}]
  podTemplate:
    metadata: {annotations: {note: installation}}
    spec:
      hostAliases: [{ip: 10.0.0.5, hostnames: [database.example]}]
      dnsConfig: {nameservers: [10.0.0.10]}
      restartPolicy: Always
      volumes: [{name: certificates, configMap: {name: certificates}}]
      initContainers: [{name: proxy, image: proxy, restartPolicy: Always}]
      containers: [{name: parser-runner, env: [{name: HTTPS_PROXY, value: "http://localhost:3128"}]}]
"""
"""What runner pods have by runner.podTemplate and others."""


class Refused(Exception):
    """helm did not render; the message is helm's."""


def helm(*arguments: str, values: str = "", program: Path | None = None) -> str:
    """Runs helm without any cluster, with values on its standard input, and returns its output.

    Args:
        values: as YAML.
        program: another helm than that of the tests.

    Raises:
        Refused: it ended with a failure.
    """
    # No cluster is meant, whatever the machine is set up for.
    environment = {**os.environ, "KUBECONFIG": os.devnull}
    command = [str(program or binaries.helm()), *arguments]
    done = subprocess.run(command, input=values, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


@cache
def text(values: str = LEAST, *options: str) -> str:
    """The release affirm-worker in the namespace affirm-worker, as YAML.

    Args:
        values: as YAML, over the chart's own.
        options: further ones of helm.

    Raises:
        Refused: by the schema or a template.
    """
    return _helm("template", values, *options)


def notes(values: str = LEAST) -> str:
    """What helm says after an installation."""
    return _helm("install", values, "--dry-run=client").partition("NOTES:")[2]


def commands(notes: str) -> list[str]:
    """The commands of notes, each in one line."""
    joined = re.sub(r" \\\n +", " ", notes)
    return [line.strip() for line in joined.splitlines() if line.startswith("  ")]


def reused(older: Path, values: str, folder: Path) -> list[dict[str, Any]]:
    """What `helm upgrade --reuse-values` renders: the values of an older chart take the place of this one's.

    Args:
        older: the values.yaml of an older chart.
        values: what the user has given, then or now, as YAML.
        folder: for the chart that helm renders then.
    """
    shutil.copytree(CHART, folder / "chart", dirs_exist_ok=True)
    shutil.copy(older, folder / "chart" / "values.yaml")
    return parsed(_helm("template", values, of=folder / "chart"))


def _helm(command: str, values: str, *options: str, of: Path = CHART) -> str:
    place = ("affirm-worker", str(of), "--namespace", "affirm-worker", "--values", "-")
    return helm(command, *place, *options, values=values)


def objects(values: str = LEAST, *options: str) -> list[dict[str, Any]]:
    """The same as parsed objects, which the caller may change."""
    made: list[dict[str, Any]] = pickle.loads(_objects(values, *options))
    return made


@cache
def _objects(values: str, *options: str) -> bytes:
    return pickle.dumps(parsed(text(values, *options)))


def parsed(documents: str) -> list[dict[str, Any]]:
    """The objects of a YAML text."""
    return [found for found in yaml.load_all(documents, yaml.CSafeLoader) if found]


def only(kind: str, values: str = LEAST, component: str = "") -> dict[str, Any]:
    """The one object of a kind, and of a component if there are several."""
    label = "app.kubernetes.io/component"
    [found] = [
        found
        for found in objects(values)
        if found["kind"] == kind and component in ("", found["metadata"]["labels"][label])
    ]
    return found


def controller_pod(values: str = LEAST) -> dict[str, Any]:
    """The controller's PodSpec."""
    pod: dict[str, Any] = only("Deployment", values, "controller")["spec"]["template"]["spec"]
    return pod


def api_pod(values: str = LEAST_API) -> dict[str, Any]:
    """The API's PodSpec."""
    pod: dict[str, Any] = only("Deployment", values, "api")["spec"]["template"]["spec"]
    return pod


def runner_config(values: str = LEAST) -> dict[str, Any]:
    """The controller's configuration for runner pods."""
    config: dict[str, Any] = json.loads(only("ConfigMap", values, "controller")["data"]["runner.json"])
    return config
