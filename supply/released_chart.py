"""`python -m supply.released_chart REGISTRY`: the chart of a release, in dist/release/affirm-worker.

Its values name the released images by registry and digest. In the checkout they name neither, as images built by hand
have none.
"""

import json
import shutil
import sys
from pathlib import Path

import yaml

from supply.installed import IMAGES, ROOT

RELEASE = ROOT / "dist" / "release"
CHART = ROOT / "charts" / "affirm-worker"
_OF_IMAGE = {"affirm-worker": ("image",), "affirm-parser-runner": ("runner", "image")}


def digest(image: str, folder: Path = RELEASE) -> str:
    """Of an image for all platforms, as `make release-images` has pushed it.

    Raises:
        FileNotFoundError: it was not pushed.
    """
    return str(json.loads((folder / f"{image}.json").read_text())["containerimage.digest"])


def with_values(text: str, values: dict[tuple[str, ...], str]) -> str:
    """A YAML file with some of its scalars replaced, and all else as it was, comments too.

    Args:
        text: the file.
        values: what stands at which path of keys.

    Raises:
        KeyError: there is no such path.
    """
    root = yaml.compose(text)
    marks = [(*_place(root, path), value) for path, value in values.items()]
    for start, end, value in sorted(marks, reverse=True):
        text = text[:start] + json.dumps(value) + text[end:]
    return text


def _place(node: yaml.Node | None, path: tuple[str, ...]) -> tuple[int, int]:
    for key in path:
        found = [value for name, value in getattr(node, "value", ()) if name.value == key]
        if not found:
            raise KeyError(".".join(path))
        node = found[0]
    assert isinstance(node, yaml.ScalarNode)
    return node.start_mark.index, node.end_mark.index


def write(registry: str, folder: Path = RELEASE) -> Path:
    """Writes the chart, and returns its folder.

    Args:
        registry: where the images are, without a slash at the end.
        folder: with the digests; the chart's folder is made in it.
    """
    chart = folder / CHART.name
    shutil.rmtree(chart, ignore_errors=True)
    shutil.copytree(CHART, chart)
    values = {}
    for image in IMAGES:
        values[(*_OF_IMAGE[image], "registry")] = registry
        values[(*_OF_IMAGE[image], "digest")] = digest(image, folder)
    file = chart / "values.yaml"
    file.write_text(with_values(file.read_text(), values))
    return chart


if __name__ == "__main__":
    sys.stdout.write(f"{write(sys.argv[1])}\n")
