"""System programs that some of these tests need."""

import os
import shutil

import pytest

from tests.cluster.packages import SYSTEM_PATH


def needed(name: str) -> str:
    """The path of a program; without it the test is skipped, and fails in CI, where it is to be installed."""
    found = shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        reason = f"{name} is not installed: apt-get install {name}, or sudo make cluster-deps"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
