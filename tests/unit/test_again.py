"""Work beside the steps: it goes on whatever it meets, and says so once."""

import asyncio
import logging

import pytest

from controller.background.again import again
from dataset_jobs.model.errors import Unavailable

LOG = logging.getLogger("controller.background.again of a test")


class Work:
    """Fails or passes as the list of its tries says; after the last one it sets `over`."""

    def __init__(self, *tries: Exception | None) -> None:
        self.left = [*tries]
        self.over = asyncio.Event()

    async def __call__(self) -> None:
        found = self.left.pop(0)
        if not self.left:
            self.over.set()
            self.left = [None]
        if found is not None:
            raise found


async def said(caplog: pytest.LogCaptureFixture, work: Work, passed: str = "") -> list[str]:
    task = asyncio.create_task(again(work, 0, LOG, "it does not work", passed))
    with caplog.at_level(logging.INFO, LOG.name):
        await work.over.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return [record.getMessage() for record in caplog.records if record.name == LOG.name]


async def test_a_failure_is_said_once_and_work_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(Unavailable("away"), Unavailable("away"), None, None)
    assert await said(caplog, work) == ["it does not work: away"]


async def test_work_that_passes_again_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(None, Unavailable("away"), None, None, Unavailable("away"), None, None)
    told = ["it does not work: away", "it works again"]
    assert await said(caplog, work, "it works again") == [*told, *told]


async def test_any_other_error_ends_it() -> None:
    with pytest.raises(ZeroDivisionError):
        await again(Work(ZeroDivisionError(), None), 0, LOG, "it does not work")
