"""The pools of a controller as ParserPools describe them; it writes the status of each.

It is level-triggered: an event only causes a new list, and without one it lists every minute.
"""

import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi
from controller.launchers.kubernetes.failed_create import exceeds_quota
from controller.pools.first_pool import FirstPool
from controller.pools.paths import to_pool_path
from controller.pools.resource import SPEC_FIELDS, PoolRefused, controller_of, ordering_key, read_pool, template_of
from controller.pools.rivals import rivals
from controller.pools.runner_pod import LABEL_INSTALLATION, LABEL_POOL, RunnerTemplate, job_manifest
from controller.pools.spec import PoolSpec
from controller.pools.status import SpecState, pool_status
from controller.pools.unheeded import Unheeded, older_definition
from dataset_jobs.model.errors import Permanent, RunError, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.pools import PoolStore

LIST_SECONDS = 60.0
"""Between two lists without an event."""

DEFINITION_SECONDS = 600.0
"""Between two looks at what the cluster knows of ParserPools."""

REPORT_SECONDS = 5.0
"""Between two reports, at least: a busy pool changes with every tick."""

RELIST_SECONDS = 5.0
"""After a list or a dry run without an answer."""

_NOBODY = UUID(int=0)

_log = logging.getLogger(__name__)

Warn = Callable[[str, str, Mapping[str, str]], Awaitable[None]]
"""Posts a warning about a ParserPool: reason, message, and the reference of the object."""


@dataclass(slots=True)
class _Known:
    """One ParserPool as last listed.

    Args:
        resource: all of it, with the status that was last written.
        order: see ordering_key.
        spec: how the pool is run; None if nothing is in force.
        template: `runner` and `podTemplate` that made the template of `spec`.
        generation: theirs.
        refusal: why the newest generation is refused.
    """

    resource: dict[str, Any]
    order: int
    spec: PoolSpec | None = None
    template: Mapping[str, Any] = field(default_factory=dict)
    generation: int = 0
    refusal: str = ""

    @property
    def reference(self) -> dict[str, str]:
        metadata = self.resource["metadata"]
        return {
            "apiVersion": "affirm.dev/v1",
            "kind": "ParserPool",
            "name": metadata["name"],
            "uid": metadata["uid"],
        }


class ParserPools:
    """The pools that name this controller; and that of its settings, as long as no ParserPool has ever described it.

    Args:
        api: of their namespace.
        store: the database, whose pools follow the descriptions.
        controller: the name by which ParserPools choose this controller.
        installation: owns the Jobs.
        settings: the pool of the settings, with the defaults for ParserPools.
        warn: shows people a warning about a ParserPool.
        warnings: what is wrong with the settings.
        first: makes the ParserPool of that pool; None if nobody asks for it.
    """

    def __init__(
        self,
        api: KubernetesApi,
        store: PoolStore,
        controller: str,
        installation: UUID,
        settings: PoolSpec,
        warn: Warn,
        warnings: Sequence[str] = (),
        first: FirstPool | None = None,
    ) -> None:
        self._api = api
        self._store = store
        self._controller = controller
        self._installation = installation
        self._settings = settings
        self._warn = warn
        self._warnings = warnings
        self._first = first
        self._known: dict[str, _Known] | None = None
        self._served: dict[str, PoolSpec] = {}
        self._rules: dict[str, PoolSpec] = {}
        self._next_list = 0.0
        self._next_report = 0.0
        self._news = False
        self._unheeded = Unheeded(controller)
        self._rivals: Sequence[str] = ()
        self._lacking: frozenset[str] = frozenset()
        self._next_definition = 0.0
        self.watchable = True
        """False if the cluster has no ParserPools, or this controller may not see them."""

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        """The pools to claim from, by name."""
        return self._served

    @property
    def warnings(self) -> Sequence[str]:
        """See Pools."""
        found = [*self._warnings, *self._rivals]
        found += [self._unheeded.says(one) for one in self._unheeded.found.values()]
        if self._lacking:
            found.append(older_definition(self._lacking))
        return found

    def rules(self, pool: str) -> PoolSpec:
        """How to treat the runs of a pool. If its ParserPool was deleted, its last spec still applies."""
        return self._rules.get(pool) or replace(self._settings, name=pool)

    def reference(self, pool: str) -> Mapping[str, str] | None:
        """The object that describes a pool, if any."""
        known = (self._known or {}).get(pool)
        return None if known is None else known.reference

    def on_event(self, deleted: bool, resource: Mapping[str, Any]) -> bool:
        """Takes an event of a ParserPool; True if it calls for a new list."""
        metadata = resource["metadata"]
        known = (self._known or {}).get(metadata["name"])
        if known is None:
            new = not deleted and controller_of(resource) == self._controller
        else:  # if it is not one of our own writes
            new = deleted or metadata["generation"] != known.resource["metadata"]["generation"]
        if new:
            self._next_list = 0.0
        return new

    async def refresh(self) -> None:
        """Lists them if that is due.

        Raises:
            Unavailable: they cannot be listed, and never were.
        """
        if time.monotonic() < self._next_list:
            return
        self._next_list = time.monotonic() + LIST_SECONDS
        try:
            await self._refresh()
        except RunError as error:
            self._next_list = time.monotonic() + RELIST_SECONDS
            if self._known is None:
                raise
            _log.warning("ParserPools are as they were: %s", error)

    async def _refresh(self) -> None:
        everybodys = await self._list()
        if self._first is not None and everybodys is not None and await self._first.make(everybodys):
            everybodys = await self._list()
        self.watchable = everybodys is not None
        await self._look_at_others(everybodys or [])
        listed = None if everybodys is None else [*filter(self._is_own, everybodys)]
        before = self._known or {}
        known = {
            resource["metadata"]["name"]: await self._look_at(resource, before.get(resource["metadata"]["name"]))
            for resource in listed or ()
        }
        for name in before.keys() - known.keys():
            _log.info("pool %s has no ParserPool any more: nothing is claimed, and what runs goes on", name)
            await self._store.refuse_pool(name, None)
        for name, one in known.items():
            await self._store.refuse_pool(name, one.refusal or None)
        served = {name: one.spec for name, one in known.items() if one.spec is not None}
        for name, spec in list(served.items()):
            try:
                await self._store.describe_pool(
                    name, spec.max_parallelism, spec.max_pending, spec.paused, spec.generation, self._api.namespace
                )
            except Permanent as error:  # the others go on
                _log.error("ParserPool %s is not in force: %s", name, error)
                del served[name]
        own = self._settings
        if listed is None:
            await self._store.undescribe_pool(own.name, own.max_parallelism, own.max_pending)
        # Jobs of a deleted ParserPool stay queued, so the settings do not take over its pool.
        if own.name not in served and own.name not in await self._store.described_pools():
            served[own.name] = own
        origins = await self._store.pool_origins([own.name, *known])
        self._rivals = [*rivals(origins, own, known, self._api.namespace)]
        self._known = known
        self._news = True
        self._rules |= served
        self._served = served

    async def _list(self) -> list[dict[str, Any]] | None:
        """Those of all controllers; None if the cluster does not know the resource."""
        try:
            return await self._api.list_parser_pools()
        except ApiRefused as error:
            # An older Role has no right to them.
            if error.status == 404 or (error.status == 403 and not self._known):
                if self._known is None:
                    _log.warning("there are no ParserPools here, and the settings alone count: %s", error)
                return None
            raise Unavailable(str(error)) from None

    def _is_own(self, resource: Mapping[str, Any]) -> bool:
        return controller_of(resource) == self._controller and "deletionTimestamp" not in resource["metadata"]

    async def _look_at_others(self, listed: Iterable[dict[str, Any]]) -> None:
        """Tells whose ParserPools nobody heeds that it is so, and finds out what the cluster drops of all of them."""
        self._unheeded.look(listed)
        for name, resource in self._unheeded.found.items():
            if (status := self._unheeded.status(resource)) is not None:
                _log.warning("%s", self._unheeded.says(resource))
                try:
                    await self._api.set_parser_pool_status(name, status, resource["metadata"].get("resourceVersion"))
                except RunError as error:  # gone, or just heeded
                    _log.info("the status of ParserPool %s is not written: %s", name, error)
        if self.watchable and time.monotonic() >= self._next_definition:
            self._next_definition = time.monotonic() + DEFINITION_SECONDS
            with contextlib.suppress(RunError):  # nothing is known then
                fields = await self._api.parser_pool_fields()
                self._lacking = frozenset() if fields is None else SPEC_FIELDS - fields

    async def _look_at(self, resource: dict[str, Any], before: _Known | None) -> _Known:
        order = ordering_key(resource)
        if before is not None and before.order == order and not before.refusal:
            before.resource = resource
            return before
        name = resource["metadata"]["name"]
        known = _Known(resource, order)
        said = template_of(resource["spec"])
        try:
            spec = self._read(resource, resource["spec"], order)
            assert spec.template is not None
            if before is None or before.spec is None or before.template != said:
                await self._try(name, spec.template)
        except (PoolRefused, ApiRefused) as refused:
            known.refusal = to_pool_path(str(refused), said)
            self._go_on_as_before(known, before, said)
            if before is None or before.refusal != known.refusal:
                _log.error("ParserPool %s: %s", name, known.refusal)
                await self._warn("Refused", known.refusal, known.reference)
        except Unavailable as error:
            _log.warning("ParserPool %s is not heeded yet: %s", name, error)
            self._next_list = time.monotonic() + RELIST_SECONDS
            return before or _Known(resource, 0)
        else:
            known.spec, known.template, known.generation = spec, said, resource["metadata"]["generation"]
            _log.info("pool %s is run as generation %d of its ParserPool has it", name, known.generation)
        return known

    def _read(self, resource: Mapping[str, Any], spec: Mapping[str, Any], order: int) -> PoolSpec:
        try:
            return read_pool(resource["metadata"]["name"], spec, order, self._settings)
        except PoolRefused:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # An invalid spec that the schema lets pass must not keep the other pools from being read.
            raise PoolRefused(f"spec: it cannot be read ({type(error).__name__})") from error

    async def _try(self, pool: str, template: RunnerTemplate) -> None:
        manifest = job_manifest(RunKey(_NOBODY, 1), _NOBODY, pool, self._installation, template)
        try:
            await self._api.try_job(manifest)
        except ApiRefused as refused:
            if not exceeds_quota(str(refused)):  # a full quota says nothing of the template
                raise

    def _go_on_as_before(self, known: _Known, before: _Known | None, refused: Mapping[str, Any]) -> None:
        """Keeps the last valid pod template, but takes the limits from the newest generation."""
        if before is not None and before.spec is not None:
            template, generation = before.template, before.generation
        else:  # another controller, or this one before its restart, wrote it into the status
            in_force = (known.resource.get("status") or {}).get("inForce") or {}
            template, generation = template_of(in_force), in_force.get("generation", 0)
            if not generation or template == refused:
                return
        rest = {name: value for name, value in known.resource["spec"].items() if name not in refused}
        try:
            known.spec = self._read(known.resource, {**rest, **template}, known.order)
        except PoolRefused:  # the rest is invalid, too
            if before is None or before.spec is None:
                return
            known.spec = replace(before.spec, generation=known.order)
        known.template, known.generation = template, generation

    async def report(self, leads: Container[str]) -> None:
        """Writes changes into the status of ParserPools, every few seconds and after each list.

        Args:
            leads: the pools that this controller decides for. Only one controller writes, as all would write the same.
                Nobody decides for a pool without a template in force; then every controller writes.
        """
        if time.monotonic() < self._next_report and not self._news:
            return
        began = time.monotonic()
        self._news = False
        for name, known in (self._known or {}).items():
            if name in leads or name not in self._served:
                await self._report(known)
        # A slow report, such as one that counts a million jobs, comes less often.
        self._next_report = time.monotonic() + max(REPORT_SECONDS, 20 * (time.monotonic() - began))

    async def _report(self, known: _Known) -> None:
        name, before = known.resource["metadata"]["name"], known.resource.get("status") or {}
        spec_state = SpecState(
            known.resource["metadata"]["generation"],
            known.refusal,
            known.generation or None,
            known.template,
            f"{LABEL_INSTALLATION}={self._installation},{LABEL_POOL}={name}",
        )
        try:
            status = pool_status(await self._store.pool_figures(name), spec_state, before)
            if status:
                whole = {field: value for field, value in {**before, **status}.items() if value is not None}
                answer = await self._api.set_parser_pool_status(name, whole)
                known.resource = known.resource | {"status": answer["status"]}
        except RunError as error:  # it may be gone by now
            _log.warning("the status of ParserPool %s is not written: %s", name, error)
