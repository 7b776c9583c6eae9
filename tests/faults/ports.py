"""Any object at a port, so that every call of its methods is a boundary."""

import inspect
import io
from collections.abc import Callable
from typing import Any, TypeVar, cast

from dataset_jobs.model.errors import Unavailable
from services.datasets import Datasets
from services.jobs import Jobs
from services.schedules import Schedules
from tests.faults.actor import Actor, Boundary

Port = TypeVar("Port")


def exposed(port: Port, name: str, actor: Actor) -> Port:
    """The same object, but that every call of a method is one of the actor's boundaries.

    Args:
        port: an object of ours that talks to the outside: a store, a launcher, a storage, the Kubernetes API.
        name: how its boundaries are called.
        actor: who calls it.
    """
    return cast("Port", _Exposed(port, name, actor))


class _Exposed:
    def __init__(self, port: Any, name: str, actor: Actor) -> None:
        self._port = port
        self._name = name
        self._actor = actor

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if isinstance(found, Datasets | Jobs | Schedules):  # what a client's methods are grouped by
            return _Exposed(found, f"{self._name}: {name}", self._actor)
        if not inspect.isroutine(found):
            return found
        return self._async(name, found) if inspect.iscoroutinefunction(found) else self._sync(name, found)

    def __enter__(self) -> "_Exposed":
        self._port.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._port.__exit__(*error)

    def _async(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            at = Boundary(self._name, name)
            return await self._actor.meet_async(at, lambda: method(*args, **kwargs), self._lost)

        return call

    def _sync(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            def do() -> Any:
                for stream in args:
                    if isinstance(stream, io.IOBase):
                        stream.seek(0)  # what is sent again is sent from its beginning
                return method(*args, **kwargs)

            result = self._actor.meet(Boundary(self._name, name), do, self._lost)
            return exposed(result, "stream", self._actor) if hasattr(result, "read") else result

        return call

    def _lost(self) -> Exception:
        return Unavailable(f"{self._name}: no answer (a fault of the test)")
