"""charts/affirm-worker/README.md: what a registry of charts shows of this one."""

from typing import Any

import yaml

from docs.generate import chart_values

PAGE = chart_values.CHART / "README.md"


def page() -> str:
    """The whole page as Markdown."""
    chart: dict[str, Any] = yaml.safe_load((chart_values.CHART / "Chart.yaml").read_text())
    return f"""# {chart["name"]}

{chart["description"]}.

`make docs` writes this page from Chart.yaml and the comments of values.yaml; a test compares them.

| | |
| --- | --- |
| version of the chart | {chart["version"]} |
| version of the program | {chart["appVersion"]} |
| Kubernetes | {chart["kubeVersion"].removesuffix("-0")} |
| Helm | 3 or 4 |
| Postgres | 15 to 18 |

{_TEXT.replace("VERSION", str(chart["version"]))}
{chart_values.table()}"""


_TEXT = """## What it installs

| objects | when |
| --- | --- |
| the controller: Deployment, ConfigMap, ServiceAccount, Role, RoleBinding, PodDisruptionBudget | always |
| the service account of runner pods, which has no right | always |
| the custom resource ParserPool, and rights on it for those who may view or edit a namespace | `crds` |
| the HTTP API: Deployment, Service, ServiceAccount, PodDisruptionBudget; Ingress or HTTPRoute | `api` |
| NetworkPolicies | `networkPolicy` |
| a PodMonitor | `metrics.podMonitor` |
| to try it out a Postgres and an S3 storage: StatefulSet, Service, Secret, NetworkPolicy each | `bundled` |
| a pod that loads a small file, and removes it again | `helm test`, with the API |

All pods meet the restricted Pod Security Standard. Outside its namespace the chart has the custom resource and two
ClusterRoles that cluster roles take up; with `crds.install=false` it has nothing there, and an installer needs no right
on the cluster.

## Install

To try it out, with a database and a storage that the chart brings
([docs/chart-no-values.md](../../docs/chart-no-values.md)):

```sh
helm install affirm-worker charts/affirm-worker --namespace affirm-worker --create-namespace --wait
helm test affirm-worker --namespace affirm-worker
```

With your own:

```sh
helm install affirm-worker charts/affirm-worker --namespace affirm-worker --create-namespace --values mine.yaml
helm lint charts/affirm-worker --values mine.yaml   # fails on all that an installation would be refused for
```

[docs/operations.md](../../docs/operations.md) has logins and grants, TLS to Postgres, S3 by IAM roles, networks,
upgrades and what uninstalling leaves; [docs/parserpools.md](../../docs/parserpools.md) the pools;
[docs/charts-compared.md](../../docs/charts-compared.md) how this chart compares with those of other operators.

For production:

```yaml
image: {registry: registry.example, digest: "sha256:…"}
runner: {image: {registry: registry.example, digest: "sha256:…"}}
database: {existingSecret: names-database, caConfigMap: names-ca}
storage: {s3: {bucket: names, region: eu-central-1}}
serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/names-controller"}}
controller: {replicas: 2, priorityClassName: production}
networkPolicy: {enabled: true, database: {cidrs: [10.1.2.0/24]}}
```

## As a part of another chart

```yaml
dependencies:
  - name: affirm-worker
    version: VERSION
    repository: file://charts/affirm-worker
    condition: affirm-worker.enabled
```

`global.imageRegistry` and `global.imagePullSecrets` hold here too; other keys of `global` are left alone.

## Values

The chart refuses values that are not in this table, and with a sentence those that cannot work.
"""
