"""A runner that does as its job id says, in a process and in a pod alike. It loads nothing.

The last digit of the job id: 0 exits with 0; 1 writes a message and exits with 65; 2 works until a signal stops it;
3 is killed by SIGKILL; 4 takes memory until it is killed; 5 fills /tmp; 6 breaks down by SIGSEGV; 7 completes,
and its process may run another; 8 does so after a moment in which it ignores SIGTERM.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

MESSAGE = '{"cause": "rejected", "reason": "invalid_format", "error": "line 3: no"}'


def _stopped(number: int, frame: FrameType | None) -> None:
    os._exit(143)


def act(job_id: str, epoch: int, message_path: str, secret: str) -> None:
    """Ends as the last digit of `job_id` says."""
    signal.signal(signal.SIGTERM, _stopped)
    match job_id[-1]:
        case "1":
            Path(message_path).write_text(MESSAGE)
            os._exit(65)
        case "2":
            time.sleep(600)
        case "3":
            if os.getpid() != 1:
                os.kill(os.getpid(), signal.SIGKILL)
            # A container's first process cannot kill itself; this is what the kubelet makes of one that was killed.
            os._exit(137)
        case "4":
            hoard = []
            while True:
                hoard.append(b"x" * 10_000_000)
        case "5":
            for number in range(100):
                Path(f"/tmp/{number}").write_bytes(b"x" * 1_000_000)
            time.sleep(600)
        case "6":
            ctypes.string_at(0)
        case "7":
            return
        case "8":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(2)
            return
    os._exit(0)


if __name__ == "__main__":
    act(sys.argv[2], int(sys.argv[4]), "/dev/termination-log", os.environ.get("RUN_SECRET", ""))
