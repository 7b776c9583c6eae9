"""`python -m supply.audit`: asks pip-audit what is known of the locked packages, and never calls silence good news.

pip-audit says "could not be audited" of a package, and ends with 0, if its service does not know it or has no answer.
So this runs it strictly, and tells apart: nothing is known (0), something is known (1), nobody could be asked (75).
"""

import json
import subprocess
import sys
from pathlib import Path

from supply.installed import ROOT

FILES = ("controller.txt", "runner.txt", "run.txt")
NOBODY = 75
_MISSING = "skip_reason"


def main() -> int:
    """Audits each lock file; the exit code is the worst of them."""
    return max(audited(ROOT / "requirements" / file) for file in FILES)


def audited(file: Path) -> int:
    """Audits a lock file, and says what became of it."""
    command = [
        sys.executable, "-m", "pip_audit", "--strict", "--require-hashes", "--disable-pip", "--progress-spinner=off",
        "--format=json", "--requirement", str(file),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return _said(file, NOBODY, "NOT AUDITED: no answer within five minutes")
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = done.stderr.strip().splitlines() or ["pip-audit said nothing"]
        return _said(file, NOBODY, f"NOT AUDITED: {why[-1]}")
    unknown = [one["name"] for one in found if _MISSING in one]
    known = [f"{one['name']} {one['version']}: {each['id']}" for one in found for each in one.get("vulns", ())]
    for line in known:
        sys.stdout.write(f"{file.name}: {line}\n")
    if known:
        return _said(file, 1, f"{len(known)} known weaknesses")
    if unknown or done.returncode:
        return _said(file, NOBODY, f"NOT AUDITED: nothing could be learned of {len(unknown)} of {len(found)} packages")
    return _said(file, 0, f"nothing is known against {len(found)} packages")


def _said(file: Path, code: int, text: str) -> int:
    sys.stdout.write(f"{file.name}: {text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
