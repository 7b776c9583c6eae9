"""RUNNER_CONFIG: how runner pods are made, as the chart writes it.

A controller that starts while an upgrade is under way, or is held up, may find the file of a newer chart. It starts all
the same, as the one that has read the older file goes on, and says which keys it does not know.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from controller.pools.pod_rules import Allowed
from controller.pools.quantities import parse_quantity
from controller.pools.runner_pod import POD_SECURITY_CONTEXT, SECURITY_CONTEXT, Memory, RunnerTemplate
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.local_machine import is_about_the_path, machine_error
from dataset_jobs.version import own_version

_Objects = list[dict[str, Any]]


class _Allowed(BaseModel):
    """The fields of `Allowed`."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    secrets: frozenset[str] = frozenset()
    service_accounts: frozenset[str] = frozenset()


class _Container(BaseModel):
    """The runner's container in a pod template, without `resources`: those that are raised are the field's."""

    model_config = ConfigDict(extra="allow")

    name: Literal["parser-runner"]
    resources: None = None


class _PodSpec(BaseModel):
    model_config = ConfigDict(extra="allow")

    containers: Annotated[list[_Container], Field(max_length=1)] = []


class _PodTemplate(BaseModel):
    """A PodTemplateSpec: the parts that this program uses. The API server checks all others."""

    model_config = ConfigDict(extra="forbid")

    metadata: dict[str, Any] = {}
    spec: _PodSpec = _PodSpec()


class RunnerConfig(BaseModel):
    """The file's fields; those of Kubernetes' PodSpec and Container keep their names and shapes."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    image: Annotated[str, Field(min_length=1)]
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: list[str] = []
    service_account_name: str = ""
    resources: dict[str, Any] = {}
    memory_ceiling: str = ""
    deadline_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 900
    env: _Objects = []
    env_from: _Objects = []
    node_selector: dict[str, str] = {}
    tolerations: _Objects = []
    affinity: dict[str, Any] = {}
    priority_class_name: str = ""
    volumes: _Objects = []
    volume_mounts: _Objects = []
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    pod_security_context: dict[str, Any] = POD_SECURITY_CONTEXT
    security_context: dict[str, Any] = SECURITY_CONTEXT
    pod_template: _PodTemplate = _PodTemplate()
    allowed: _Allowed = _Allowed()


def read_runner_config(path: Path) -> RunnerTemplate:
    """Reads and checks the file.

    Raises:
        Misconfigured: names the file, the field and the fault.
    """
    try:
        config = RunnerConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        if not is_about_the_path(error):
            raise machine_error(error, f"read RUNNER_CONFIG {path}") from None
        raise Misconfigured(f"RUNNER_CONFIG {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Misconfigured(f"RUNNER_CONFIG {path}: {where}: {first['msg']}") from None
    values: dict[str, Any] = {name: getattr(config, name) for name in RunnerConfig.model_fields}
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = tuple(value)
    ceiling = values.pop("memory_ceiling")
    del values["pod_template"]
    values["own_pod_template"] = config.pod_template.model_dump(exclude_unset=True)
    values["allowed"] = Allowed(config.allowed.secrets, config.allowed.service_accounts)
    values["unknown"] = (
        *sorted(config.model_extra or ()),
        *(f"allowed.{key}" for key in config.allowed.model_extra or ()),
    )
    try:
        return RunnerTemplate(**values, memory=_memory(config.resources, ceiling))
    except ValueError as error:
        raise Misconfigured(f"RUNNER_CONFIG {path}: resources and memoryCeiling: {error}") from None


def unknown_keys(template: RunnerTemplate) -> str | None:
    """What to say of keys that count for nothing here; None if there is none."""
    if not template.unknown:
        return None
    listed = ", ".join(template.unknown)
    return (
        f"RUNNER_CONFIG has keys that affirm-worker {own_version()} does not know: {listed}. They count for nothing:"
        " the file is of a newer chart, or they are misspelt"
    )


def _memory(resources: dict[str, Any], ceiling: str) -> Memory | None:
    """The memory of a run after others were out of it; None without a limit or a ceiling."""
    limit = resources.get("limits", {}).get("memory")
    if limit is None or not ceiling:
        return None
    request = resources.get("requests", {}).get("memory", limit)
    return Memory(*(int(parse_quantity(quantity)) for quantity in (request, limit, ceiling)))
