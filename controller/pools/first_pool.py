"""The ParserPool that a controller makes by itself: that of the pool of its settings, if they ask for it.

Helm maps all objects to kinds before it creates the first, so a release cannot hold the definition and an object of it.
It is made once: what a ParserPool has described, be it there or not, is somebody else's to decide.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi
from controller.pools.runner_pod import LABEL_RELEASE
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.pools import PoolLimits
from dataset_jobs.store.pools import PoolStore

_log = logging.getLogger(__name__)


class FirstPool:
    """Makes it, unless there is one or ever was.

    Args:
        api: of the namespace.
        store: the database, which knows whether a ParserPool has ever described the pool.
        controller: the name by which the ParserPool chooses this controller.
        pool: its name.
        labels: of the runners: the release's is the ParserPool's too, so that the commands that remove what an
            uninstall leaves find it.
    """

    def __init__(
        self, api: KubernetesApi, store: PoolStore, controller: str, pool: str, labels: Mapping[str, str]
    ) -> None:
        self._api = api
        self._store = store
        self._controller = controller
        self._pool = pool
        self._labels = {name: value for name, value in labels.items() if name == LABEL_RELEASE}
        self._is_settled = False

    async def make(self, listed: Iterable[Mapping[str, Any]]) -> bool:
        """True if there is a new one, so that the list is out of date; it may be that of another controller.

        Args:
            listed: the ParserPools of the namespace.
        """
        if self._is_settled:
            return False
        if any(one["metadata"]["name"] == self._pool for one in listed):
            self._is_settled = True
            return False
        limits = await self._store.undescribed_pool(self._pool)
        if limits is None:
            self._is_settled = True
            return False
        try:
            made = await self._api.create_parser_pool(self._manifest(limits))
        except ApiRefused as error:
            self._is_settled = True
            _log.warning("no ParserPool is made of pool %s, and the settings describe it: %s", self._pool, error)
            return False
        except RunError as error:  # with the next list
            _log.warning("no ParserPool is made of pool %s yet: %s", self._pool, error)
            return False
        self._is_settled = True
        if made:
            _log.info("pool %s has a ParserPool now: changes are made there", self._pool)
        return True

    def _manifest(self, limits: PoolLimits) -> dict[str, Any]:
        # What somebody has set by command before goes on.
        spec: dict[str, Any] = {"controller": self._controller, "maxParallelism": limits.max_running}
        if limits.max_pending is not None:
            spec["maxPendingPods"] = limits.max_pending
        if limits.paused:
            spec["paused"] = True
        metadata = {"name": self._pool, "labels": self._labels}
        return {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": metadata, "spec": spec}
