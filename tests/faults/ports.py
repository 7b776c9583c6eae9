"""Any object at a port, so that every call of its methods is a boundary."""

import contextlib
import inspect
import io
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar, cast

from dataset_jobs.model.errors import Unavailable
from services.datasets import Datasets
from services.jobs import Jobs
from services.schedules import Schedules
from tests.faults.actor import ENTER, LEAVE, Actor, Boundary

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
        if inspect.isasyncgenfunction(inspect.unwrap(found)):
            return lambda *args, **kwargs: _ExposedBlock(found(*args, **kwargs), self._name, name, self._actor)
        return self._async(name, found) if inspect.iscoroutinefunction(found) else self._sync(name, found)

    def __enter__(self) -> "_Exposed":
        self._port.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._port.__exit__(*error)

    def _async(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            at = Boundary(self._name, name)
            return await self._actor.meet_async(at, lambda: method(*args, **kwargs), lambda: _lost(self._name))

        return call

    def _sync(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            def do() -> Any:
                for stream in args:
                    if isinstance(stream, io.IOBase):
                        stream.seek(0)  # what is sent again is sent from its beginning
                return method(*args, **kwargs)

            result = self._actor.meet(Boundary(self._name, name), do, lambda: _lost(self._name))
            return exposed(result, "stream", self._actor) if hasattr(result, "read") else result

        return call


class _ExposedBlock:
    """What a port opens and the caller ends: to enter and to leave it are boundaries."""

    def __init__(self, block: AbstractAsyncContextManager[Any], port: str, name: str, actor: Actor) -> None:
        self._block = block
        self._port = port
        self._name = name
        self._actor = actor

    async def __aenter__(self) -> Any:
        entered = False

        async def enter() -> Any:
            nonlocal entered
            found = await self._block.__aenter__()
            entered = True
            return found

        try:
            return await self._meet(ENTER, enter)
        except BaseException as failed:
            if entered:
                await self._undo(failed)
            raise

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> Any:
        if error is not None:
            return await self._block.__aexit__(kind, error, trace)
        left = False

        async def leave() -> Any:
            nonlocal left
            left = True
            return await self._block.__aexit__(None, None, None)

        try:
            return await self._meet(LEAVE, leave)
        except BaseException as failed:
            if not left:
                await self._undo(failed)
            raise

    async def _undo(self, failed: BaseException) -> None:
        """Nothing of it is committed. One that is dead has no connection for that any more."""
        with contextlib.suppress(BaseException):
            await self._block.__aexit__(type(failed), failed, None)

    async def _meet(self, way: str, do: Callable[[], Awaitable[Any]]) -> Any:
        return await self._actor.meet_async(Boundary(self._port, way + self._name), do, lambda: _lost(self._port))


def _lost(port: str) -> Exception:
    return Unavailable(f"{port}: no answer (a fault of the test)")
