"""Why a program cannot listen on a port, in words."""

import errno
import os


def why_not_listening(error: OSError) -> str:
    """What is in the way, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return "another process listens there: set it to a free port, or stop that process"
    if error.errno == errno.EACCES:
        return "this user may not listen there: set it to a port from 1024 on"
    return os.strerror(error.errno) if error.errno else type(error).__name__
