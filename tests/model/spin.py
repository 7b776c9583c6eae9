"""Runs spin on the model of the lease protocol: every order in which its steps can come, or it is an error."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.packages import program

MODEL = Path(__file__).with_name("lease.pml")
MEGABYTES = 1800
"""More than this a search may not take."""

DEPTH = 100_000
"""The longest way through the model that a search may follow: far more than there is."""

_PROPERTIES = ("assertion violated", "non-progress cycle", "invalid end state")
_CUT_SHORT = ("Search not completed", "max search depth too small", "reached -DMEMLIM bound")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much there is in the model.

    Args:
        jobs, epochs: jobs, and runs of each; one of the two is 1, and the other at most 2.
        faults: how much may go wrong.
    """

    jobs: int
    epochs: int
    faults: int

    def __str__(self) -> str:
        return f"jobs={self.jobs} epochs={self.epochs} faults={self.faults}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Args:
        error: the first thing that does not hold; empty where all does, and everything was looked at.
        states: how many different states were looked at.
        log: all that the search has said.
    """

    error: str
    states: int
    log: str


def search(folder: Path, bounds: Bounds, ends: bool = False, mistake: str = "0") -> Found:
    """Looks for what does not hold in the model.

    Args:
        folder: an empty one to work in.
        bounds: of the model.
        ends: False: the asserts, in any order of steps. True: that all comes to a good end, too; see lease.pml.
        mistake: one that the model has a name for; "0" for none.

    Raises:
        AssertionError: nothing was found, but not everything was looked at either.
    """
    sizes = (f"-DJOBS={bounds.jobs}", f"-DEPOCHS={bounds.epochs}", f"-DFAULTS={bounds.faults}")
    _run(folder, program("spin"), "-a", *sizes, f"-DENDS={int(ends)}", f"-DMISTAKE={mistake}", str(MODEL))
    kind = "-DNP" if ends else "-DSAFETY"
    # What is expected to be found is found soon: only the others are worth the compiler's time.
    how = ("-O1" if mistake == "0" else "-O0", kind, f"-DMEMLIM={MEGABYTES}")
    _run(folder, program("gcc"), *how, "-o", "pan", "pan.c")
    log = _run(folder, "./pan", f"-m{DEPTH}", *(["-l"] if ends else []))
    assert "Full statespace search" in log, log
    error = next((line for line in log.splitlines() if any(kind in line for kind in _PROPERTIES)), "")
    errors = re.search(r"errors: (\d+)", log)
    states = re.search(r"(\d+) states, stored", log)
    assert errors is not None, log
    assert states is not None, log
    if errors[1] == "0":
        assert not any(word in log for word in _CUT_SHORT), log
        error = ""
    return Found(error, int(states[1]), log)


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout
