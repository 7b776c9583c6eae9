"""`python -c`: starts the parent of parsers as a new program, whose memory has never held a credential."""

import json
import os
import socket
import sys
from subprocess import DEVNULL, Popen

from dataset_jobs.host import clean_environment

_PROGRAM = """\
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from parser_runner.apart.clean_start import main
main()
"""


def start(control: socket.socket, writable: str) -> "Popen[bytes]":
    """Starts it. Raises the errors of the operating system.

    Args:
        control: its end of the connection to the runner.
        writable: the folder for temporary files.
    """
    number = control.fileno()
    command = [sys.executable, "-c", _PROGRAM, str(number), json.dumps(sys.path), writable]
    return Popen(command, env=clean_environment(os.environ), pass_fds=[number], stdin=DEVNULL, stdout=DEVNULL)


def main() -> None:
    """The new program."""
    from parser_runner.apart.parent import serve

    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[3])
