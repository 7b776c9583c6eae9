"""Reads a ParserPool, with the installation's values as defaults.

The API server has checked it against the schema in charts/affirm-worker/files/parserpools.yaml, maybe of another
version. So this module checks again all that it reads, and ignores unknown fields.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from controller.autoscaling.behavior import Behavior, ScalingPolicy, ScalingRules
from controller.outcomes.retry import RetryPolicy
from controller.pools.pod_rules import refusal
from controller.pools.quantities import parse_quantity
from controller.pools.runner_pod import CONTAINER, Memory, RunnerTemplate, job_manifest
from controller.pools.spec import PoolSpec
from controller.pools.strategic_merge import merge_field
from dataset_jobs.model.durations import parse_duration
from dataset_jobs.model.keys import RunKey

DEFAULT_CONTROLLER = "affirm-worker"
_NOBODY = UUID(int=0)


class PoolRefused(ValueError):
    """A ParserPool that is invalid; the message begins with the path of the invalid field."""


def _within(first: timedelta, last: timedelta) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if not first <= value <= last:
            raise ValueError("out of range")
        return value

    return AfterValidator(check)


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


_DAY = timedelta(days=1)
_Duration = Annotated[timedelta, BeforeValidator(_duration)]
_Count = Annotated[int, Field(ge=0, le=100_000)]
_Positive = Annotated[int, Field(ge=1, le=100_000)]
_Model = TypeVar("_Model", bound=BaseModel)
_Object = dict[str, Any]
_Objects = list[dict[str, Any]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, frozen=True)

    def given(self) -> dict[str, Any]:
        """The fields that the pool says, by their Python names."""
        return {name: getattr(self, name) for name in self.model_fields_set if getattr(self, name) is not None}


class _ScalingPolicy(_Part):
    type: Literal["Pods", "Percent"]
    value: _Positive
    period_seconds: Annotated[int, Field(ge=1, le=1800)]


class _ScalingRules(_Part):
    stabilization_window_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    policies: list[_ScalingPolicy] | None = None
    select_policy: Literal["Max", "Min", "Disabled"] | None = None

    def over(self, base: ScalingRules) -> ScalingRules:
        given = self.given()
        if self.policies is not None:
            policies = (ScalingPolicy(one.type, one.value, one.period_seconds) for one in self.policies)
            given["policies"] = tuple(policies)
        return replace(base, **given)


class _Behavior(_Part):
    scale_up: _ScalingRules = _ScalingRules()
    scale_down: _ScalingRules = _ScalingRules()


_Quantities = dict[str, str | int | float | None]
_Strings = dict[str, str | None]


class _Resources(_Part):
    limits: _Quantities | None = None
    requests: _Quantities | None = None


class _Container(_Part):
    name: str
    env: _Objects | None = None
    resources: _Resources | None = None


class _PodMetadata(_Part):
    labels: _Strings | None = None
    annotations: _Strings | None = None


class _PodSpec(_Part):
    containers: list[_Container] | None = None


class _PodTemplate(_Part):
    """The parts of a PodTemplateSpec that this program uses; the API server checks all others."""

    metadata: _PodMetadata | None = None
    spec: _PodSpec | None = None


class _Runner(_Part):
    """The names are those of RunnerTemplate, except for the last two."""

    image: Annotated[str, Field(min_length=1)] | None = None
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] | None = None
    resources: _Object | None = None
    deadline_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    node_selector: dict[str, str | None] | None = None
    tolerations: _Objects | None = None
    affinity: _Object | None = None
    topology_spread_constraints: _Objects | None = None
    priority_class_name: str | None = None
    service_account_name: str | None = None
    env: _Objects | None = None
    env_from: _Objects | None = None
    volumes: _Objects | None = None
    volume_mounts: _Objects | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    memory_ceiling: str | int | None = None
    start_deadline: Annotated[_Duration, _within(timedelta(seconds=10), _DAY)] | None = None


class _Retry(_Part):
    max_retries: Annotated[int, Field(ge=0, le=100)] | None = None
    waits: Annotated[list[Annotated[_Duration, _within(timedelta(0), 7 * _DAY)]], Field(min_length=1)] | None = None
    jitter_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    max_interruptions: Annotated[int, Field(ge=0, le=1000)] | None = None

    def over(self, base: RetryPolicy) -> RetryPolicy:
        given = self.given()
        jitter = given.pop("jitter_percent", None)
        if jitter is not None:
            given["jitter"] = jitter / 100
        if self.waits is not None:
            given["waits"] = tuple(self.waits)
        return replace(base, **given)


class _Retention(_Part):
    kubernetes_jobs: Annotated[_Duration, _within(timedelta(0), 3650 * _DAY)] | None = None
    jobs: Annotated[_Duration, _within(timedelta(hours=1), 3650 * _DAY)] | None = None


class _Spec(_Part):
    min_parallelism: _Count = 0
    max_parallelism: _Count = 10
    target_backlog_per_runner: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    paused: bool = False
    max_pending_pods: _Positive = 100
    behavior: _Behavior = _Behavior()
    runner: _Runner = _Runner()
    pod_template: _Object = {}
    retry: _Retry = _Retry()
    retention: _Retention = _Retention()


SPEC_FIELDS = frozenset({"controller", *(str(field.alias) for field in _Spec.model_fields.values())})
"""The fields of a ParserPool's spec that this program reads."""


def controller_of(resource: Mapping[str, Any]) -> str:
    """The controller that a ParserPool names as its own."""
    return str((resource.get("spec") or {}).get("controller") or DEFAULT_CONTROLLER)


def ordering_key(resource: Mapping[str, Any]) -> int:
    """A number that rises with every change, and from a deleted pool to a new one of the same name."""
    metadata = resource["metadata"]
    made = datetime.fromisoformat(metadata["creationTimestamp"]).astimezone(UTC)
    return int(made.timestamp()) * 1_000_000 + int(metadata["generation"])


def template_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a ParserPool's spec that describes its pods."""
    return {part: spec[part] for part in ("runner", "podTemplate") if part in spec}


def read_pool(name: str, spec: Mapping[str, Any], order: int, base: PoolSpec) -> PoolSpec:
    """How a pool is run.

    Args:
        name: the resource's and the pool's.
        spec: the resource's.
        order: see `ordering_key`.
        base: the defaults, with a template.

    Raises:
        PoolRefused: it is invalid.
    """
    said = _checked(_Spec, spec, "spec")
    _checked(_PodTemplate, said.pod_template, "spec.podTemplate")
    _checked(_Resources, said.runner.resources or {}, "spec.runner.resources")
    if said.min_parallelism > said.max_parallelism:
        raise PoolRefused("spec.minParallelism: more than spec.maxParallelism")
    own = base.template or RunnerTemplate("")
    template = _template(said, own)
    refused = refusal(_pod(template), _pod(own), own.allowed)
    if refused is not None:
        raise PoolRefused(refused)
    scaling = Behavior()
    return PoolSpec(
        name=name,
        min_parallelism=said.min_parallelism,
        max_parallelism=said.max_parallelism,
        target_backlog_per_runner=said.target_backlog_per_runner,
        behavior=Behavior(
            said.behavior.scale_up.over(scaling.scale_up), said.behavior.scale_down.over(scaling.scale_down)
        ),
        paused=said.paused,
        max_pending=said.max_pending_pods,
        template=template,
        retry=said.retry.over(base.retry),
        start_deadline=said.runner.start_deadline or base.start_deadline,
        keep_jobs=base.keep_jobs if said.retention.kubernetes_jobs is None else said.retention.kubernetes_jobs,
        retention=said.retention.jobs or base.retention,
        generation=order,
    )


def _pod(template: RunnerTemplate) -> dict[str, Any]:
    """The PodTemplateSpec of a run."""
    pod: dict[str, Any] = job_manifest(RunKey(_NOBODY, 1), _NOBODY, "any", _NOBODY, template)["spec"]["template"]
    return pod


def _template(said: _Spec, base: RunnerTemplate) -> RunnerTemplate:
    given = said.runner.given()
    ceiling = given.pop("memory_ceiling", None)
    given.pop("start_deadline", None)
    laid = {name: _merged(name, getattr(base, name), value) for name, value in given.items()}
    template = replace(base, **laid)
    resources, pod_template = _without_resources(said.pod_template)
    if resources is not None:
        template = replace(template, resources=merge_field("resources", template.resources, resources))
    return replace(template, pod_template=pod_template, memory=_memory(template, ceiling))


def _merged(name: str, base: Any, over: Any) -> Any:
    if isinstance(base, tuple):
        return tuple(merge_field(to_camel(name), list(base), over))
    return merge_field(to_camel(name), base, over)


def _without_resources(pod_template: _Object) -> tuple[Any, _Object]:
    """The runner's resources, which a retry may double, and the rest."""
    spec = pod_template.get("spec") or {}
    containers = spec.get("containers") or []
    if any(one.get("name") != CONTAINER for one in containers):
        raise PoolRefused(f"spec.podTemplate.spec.containers: only {CONTAINER}, since the pod is to end with it")
    if not containers:
        return None, pod_template
    rest = [{key: value for key, value in one.items() if key != "resources"} for one in containers]
    return containers[-1].get("resources"), pod_template | {"spec": spec | {"containers": rest}}


def _memory(template: RunnerTemplate, ceiling: str | int | None) -> Memory | None:
    limit = template.resources.get("limits", {}).get("memory")
    if limit is None:
        if ceiling is not None:
            raise PoolRefused("spec.runner.memoryCeiling: there is no memory limit that could be raised to it")
        return None
    request = template.resources.get("requests", {}).get("memory", limit)
    try:
        most = int(parse_quantity(ceiling)) if ceiling is not None else template.memory and template.memory.ceiling
        if not most:
            return None
        memory = Memory(int(parse_quantity(request)), int(parse_quantity(limit)), most)
    except ValueError as error:
        raise PoolRefused(f"spec.runner.resources and memoryCeiling: {error}") from None
    if ceiling is not None and memory.ceiling < memory.limit:
        raise PoolRefused(f"spec.runner.memoryCeiling: less than the memory limit, {limit}")
    return memory


def _checked(model: type[_Model], value: Mapping[str, Any], path: str) -> _Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise PoolRefused(f"{path}{where}: {first['msg']}") from None
