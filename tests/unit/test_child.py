"""After which runs a child may be used for another."""

import subprocess
import sys

import pytest

_CHILD = """
import sys
from parser_runner import child
child.run_process = lambda *_: int(sys.argv[1])
child.REUSED_KIB = int(sys.argv[2])
child.run_child({}, "00000000-0000-0000-0000-000000000001", 1, "/dev/null", "secret")
print("returned")
"""


@pytest.mark.parametrize(
    ("code", "reused_kib", "expected"),
    [(0, 1 << 30, (0, "returned\n")), (0, 1, (0, "")), (65, 1 << 30, (65, "")), (143, 1 << 30, (143, ""))],
    ids=["completed", "completed, but the process is large", "rejected", "stopped"],
)
def test_only_a_run_that_completed_in_a_small_process_returns(
    code: int, reused_kib: int, expected: tuple[int, str]
) -> None:
    command = [sys.executable, "-c", _CHILD, str(code), str(reused_kib)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == expected
