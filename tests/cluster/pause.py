"""The image of a pod's sandbox, written by hand: one static program, so no image builder is needed for a cluster."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.layout import PAUSE_IMAGE


def write(archive: Path) -> None:
    """Write the image as a docker-archive, which `ctr images import` reads."""
    layer = _tar({"pause": binaries.pause().read_bytes()}, mode=0o755)
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
        "os": "linux",
        # runc refuses a process without PATH.
        "config": {"Entrypoint": ["/pause"], "Env": ["PATH=/"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    content = {
        "layer.tar": layer,
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    archive.write_bytes(_tar(content, mode=0o644))


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
