"""`python -m tests.guards [WORDS]`: runs each mutant with WORDS in its name, and says which test has found it."""

import sys
import tempfile
from pathlib import Path

from tests.guards import MUTANTS
from tests.guards.mutants import tried
from tests.kit.changes import copy


def main() -> int:
    """Ends with 1 unless each is found."""
    words = " ".join(sys.argv[1:])
    chosen = {name: mutant for name, mutant in MUTANTS.items() if words in name}
    bad = 0
    with tempfile.TemporaryDirectory(prefix="affirm-guards-") as above:
        folder = Path(above, "copy")
        Path(above).chmod(0o755)  # some tests are another user
        copy(folder)
        # A test that fails without a mutant finds none.
        fate, said = tried(folder, (), " ".join(dict.fromkeys(mutant.tests for mutant in chosen.values())))
        if fate in ("killed", "broken"):
            print(f"without any mutant: {said}", file=sys.stderr)
            return 1
        for name, mutant in chosen.items():
            fate, said = tried(folder, mutant.changes, mutant.tests)
            bad += fate in ("survived", "broken")
            print(f"{fate:9} {name}{f': {said}' if said else ''}", flush=True)
    print(f"{len(chosen)} mutants, {bad} not found", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
