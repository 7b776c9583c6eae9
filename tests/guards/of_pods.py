"""Guards around the product: what a ParserPool may ask of a pod, what the chart grants, and TLS."""

from collections.abc import Iterator

from tests.guards.mutants import Mutant, one

_RULES = "controller/pools/pod_rules.py"
_SECRETS = "controller/pools/secret_rules.py"
_PODS = "tests/unit/test_pod_rules.py"
_CHART = "tests/unit/test_chart_security.py"
_ROLES = "charts/affirm-worker/templates/parserpools.yaml"
_HELPERS = "charts/affirm-worker/templates/_helpers.tpl"
_POLICIES = "charts/affirm-worker/templates/network.yaml"
_RULES_OF_POLICIES = "charts/affirm-worker/templates/_network.tpl"
_NETWORK = "tests/unit/test_chart_network.py"
_TLS = "dataset_jobs/postgres/tls.py"

_CONDITIONS = {
    "an annotation may unconfine": "if name.startswith(_APPARMOR) and not"
    ' (value == "runtime/default" or str(value).startswith("localhost/")):',
    "the node's namespaces": "if spec.get(name) not in (None, False):",
    "another service account": "if account not in allowed.service_accounts:",
    "the deprecated service account": 'if spec.get("serviceAccount") is not None:',
    "a token": 'if spec.get("automountServiceAccountToken") is not False:',
    "sysctls": 'if one.get("name") not in _SYSCTLS:',
    "volumes of the node": "if kind not in _VOLUMES:",
    "projected tokens": "if one[what] is not None:",
    "privileged containers": 'if context.get("privileged") not in (None, False):',
    "escalation": 'if context.get("allowPrivilegeEscalation") is not False:',
    "an unmasked proc": 'if context.get("procMount") not in (None, "Default"):',
    "containers that may be root": 'if context.get("runAsNonRoot") is None and pod.get("runAsNonRoot") is None:',
    "containers without seccomp": 'if context.get("seccompProfile") is None and pod.get("seccompProfile") is None:',
    "ports of the node": 'if port.get("hostPort") not in (None, 0):',
    "root by runAsNonRoot": 'if context.get("runAsNonRoot") not in (None, True):',
    "root by runAsUser": "if user is not None and not (isinstance(user, int) and user > 0):",
    "unconfined profiles": 'if context.get(name) is not None and profile.get("type") not in ("RuntimeDefault", "Localhost"):',  # noqa: E501
    "labels of SELinux": 'if labels.get("type") not in _SELINUX or labels.get("user") or labels.get("role"):',
    "processes of a Windows host": 'if windows.get("hostProcess") not in (None, False):',
    "all capabilities kept": 'if not isinstance(drops, list) or "ALL" not in drops:',
    "capabilities added": 'if not isinstance(adds, list) or any(one != "NET_BIND_SERVICE" for one in adds):',
    "probes of other hosts": 'if action.get("host") not in (None, ""):',
}
"""A rule for pods, and the condition that it stands on."""

_PARTS = {
    "hostNetwork": ('("hostNetwork", "hostPID", "hostIPC")', '("hostPID", "hostIPC")'),
    "hostPID": ('("hostNetwork", "hostPID", "hostIPC")', '("hostNetwork", "hostIPC")'),
    "hostIPC": ('("hostNetwork", "hostPID", "hostIPC")', '("hostNetwork", "hostPID")'),
    "init containers": (
        '    for kind in ("containers", "initContainers", "ephemeralContainers"):',
        '    for kind in ("containers", "ephemeralContainers"):',
    ),
    "ephemeral containers": (
        '    for kind in ("containers", "initContainers", "ephemeralContainers"):',
        '    for kind in ("containers", "initContainers"):',
    ),
    "AppArmor": ('for name in ("seccompProfile", "appArmorProfile"):', 'for name in ("seccompProfile",):'),
    "seccomp": ('for name in ("seccompProfile", "appArmorProfile"):', 'for name in ("appArmorProfile",):'),
    "the user of SELinux": (' or labels.get("user")', ""),
    "the role of SELinux": (' or labels.get("role")', ""),
    "host paths": (
        '"configMap", "csi", "downwardAPI", "emptyDir",',
        '"hostPath", "configMap", "csi", "downwardAPI", "emptyDir",',
    ),
    "projected service account tokens": ("_PROJECTED = {", '_PROJECTED = {"serviceAccountToken", '),
    "a pod's own context": ('    yield from _contexts(context, f"{POD}.securityContext")\n', ""),
    "hooks": ('    handlers |= {f"lifecycle.{name}": lifecycle.get(name) for name in ("postStart", "preStop")}\n', ""),
    "TCP probes": ('for how in ("httpGet", "tcpSocket"):', 'for how in ("httpGet",):'),
    "what was the installation's elsewhere": (
        "if fault not in chosen)",
        "if fault.path not in {one.path for one in chosen})",
    ),
    "Secrets": (
        '    yield from (_fault(f"{POD}{place}", why, value) for place, why, value in secret_faults(spec, gives))\n',
        "",
    ),
}
"""A part of a rule, and what it becomes."""

_SECRET_PARTS = {
    "Secrets to pull images": (
        '    for number, one in enumerate(_list(spec.get("imagePullSecrets"))):',
        "    for number, one in ():",
    ),
    "Secrets of volumes": ("    if secret is not None:", "    if False:"),
    "projected Secrets": (
        '    for number, source in enumerate(_list(_map(projected).get("sources"))):',
        "    for number, source in ():",
    ),
    "Secrets of drivers": ('    reference = _map(csi).get("nodePublishSecretRef")', "    reference = None"),
    "Secrets as variables": ('for env in _list(_map(container).get("env")):', "for env in ():"),
    "all of a Secret as variables": (
        'for at, source in enumerate(_list(_map(container).get("envFrom"))):',
        "for at, source in ():",
    ),
    "a whole Secret for its key": (
        "return not use.pull and use.key is not None and (use.name, use.key) in self.keys",
        "return not use.pull and use.name in {name for name, _ in self.keys}",
    ),
    "a key for another": (
        "return not use.pull and use.key is not None and (use.name, use.key) in self.keys",
        "return not use.pull and use.key is not None and use.name in {name for name, _ in self.keys}",
    ),
    "a Secret to pull with as a variable": (
        "if use.name in self.whole or (use.pull and use.name in self.pull):",
        "if use.name in self.whole | self.pull:",
    ),
    "other containers' Secrets": (
        '    for kind in ("containers", "initContainers", "ephemeralContainers"):',
        '    for kind in ("containers",):',
    ),
}


def _of_pools() -> Iterator[tuple[str, Mutant]]:
    for what, condition in _CONDITIONS.items():
        yield f"a pool may have: {what}", one(_RULES, condition, "if False:", _PODS)
    for what, (before, after) in _PARTS.items():
        yield f"a pool is not asked for: {what}", one(_RULES, before, after, _PODS)
    for what, (before, after) in _SECRET_PARTS.items():
        yield f"a pool may use: {what}", one(_SECRETS, before, after, _PODS)


MUTANTS: dict[str, Mutant] = {
    **dict(_of_pools()),
    "no pool is refused": one(
        _RULES, '    return None if found is None else f"{found.path}: {found.why}"', "    return None", _PODS
    ),
    "who views a namespace may edit its pools": one(
        _ROLES, "    verbs: [get, list, watch]", "    verbs: [get, list, watch, patch]", _CHART
    ),
    "who edits a namespace may write the status": one(
        _ROLES, "    resources: [parserpools]\n", "    resources: [parserpools, parserpools/status]\n", _CHART
    ),
    "editors see no pools": one(_ROLES, '    rbac.authorization.k8s.io/aggregate-to-edit: "true"\n', "", _CHART),
    "viewers see no pools": one(_ROLES, '    rbac.authorization.k8s.io/aggregate-to-view: "true"\n', "", _CHART),
    "roles are aggregated whatever the values say": one(
        _ROLES,
        "{{- if and (.Values.crds).install (.Values.crds).aggregateRoles }}",
        "{{- if (.Values.crds).install }}",
        _CHART,
    ),
    "the controller's rights are the default account's": one(
        _HELPERS,
        '{{- if and (not $account.create) (has $account.name (list "" "default")) }}',
        "{{- if false }}",
        _CHART,
    ),
    "the controller's rights are those of the account named default": one(
        _HELPERS, '(has $account.name (list "" "default"))', '(has $account.name (list ""))', _CHART
    ),
    "the runner's account has a token": one(
        "controller/pools/runner_pod.py",
        '"automountServiceAccountToken": False,',
        '"automountServiceAccountToken": True,',
        f"{_CHART} {_PODS}",
    ),
    "the controller may read Secrets": one(
        "charts/affirm-worker/templates/rbac.yaml",
        "    resources: [pods]\n",
        "    resources: [pods, secrets]\n",
        _CHART,
    ),
    "pods reach the metadata of a cloud": one(_RULES_OF_POLICIES, "v4: [169.254.0.0/16, ", "v4: [", _NETWORK),
    "pods reach the metadata of a cloud by IPv6": one(_RULES_OF_POLICIES, '"fd00:ec2::/32", ', "", _NETWORK),
    "a value leads to the metadata": one(_RULES_OF_POLICIES, "{{- if $inside }}", "{{- if false }}", _NETWORK),
    "a rule in Kubernetes' words leads to the metadata": one(
        _RULES_OF_POLICIES, "{{- if $missing }}", "{{- if false }}", _NETWORK
    ),
    "a rule leads everywhere": one(_RULES_OF_POLICIES, "{{- if not .to }}", "{{- if false }}", _NETWORK),
    "others reach runners": one(_POLICIES, "  ingress: []\n", "  ingress: [{}]\n", _NETWORK),
    "a ParserPool leaves the policy of runners": one(
        _POLICIES, "      app: affirm-parser\n", "      affirm.dev/pool: default\n", _NETWORK
    ),
    "a CA proves nothing by itself": one(
        _TLS, 'return "verify-full" if', 'return "require" if', "tests/unit/test_tls.py"
    ),
    "a database elsewhere without a CA is no doubt": one(
        _TLS,
        "    if not _is_open(parts, given) or _ca(parts, given):\n        return None\n",
        "    return None\n",
        "tests/unit/test_tls.py",
    ),
    "one host here is enough": one(_TLS, "return not all(", "return not any(", "tests/unit/test_tls.py"),
    "the mode is not given to libpq": one(
        "dataset_jobs/postgres/connecting.py",
        'return {} if mode is None else {"sslmode": mode}',
        "return {}",
        "tests/integration/test_tls.py",
    ),
    "an audit that learns nothing is good news": one(
        "supply/audit.py", '"--strict"', '"--no-deps"', "tests/unit/test_supply.py"
    ),
}
"""What was taken out, in words, and how."""
