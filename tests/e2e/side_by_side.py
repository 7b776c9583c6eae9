"""Cases that mostly wait for the cluster: side by side they take as long as the longest, not as their sum."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Outcomes = Mapping[str, Future[T]]
"""What each case came to, by its name. `result()` waits for it, and raises what the case raised."""

PAUSE_SECONDS = 0.2
"""Between two looks of a case at its run: all look at the same API server."""


@contextmanager
def side_by_side(cases: Mapping[str, Callable[[], T]]) -> Iterator[Outcomes[T]]:
    """Starts all cases, each in a thread of its own; in the end none is at work.

    A test takes the outcome of its own case, so that a case that fails is no other test's failure.

    Args:
        cases: by name. None may disturb another one.
    """
    with ThreadPoolExecutor(len(cases)) as threads:
        yield {name: threads.submit(case) for name, case in cases.items()}


def in_a_loop(case: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **more: P.kwargs) -> T:
    """A case that awaits, in a loop of its own."""
    return asyncio.run(case(*args, **more))
