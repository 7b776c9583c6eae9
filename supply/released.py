"""`python -m supply.released REGISTRY [images]`: what a release has pushed, a line `name=reference` each.

`--outputs` instead writes `name=digest` for a workflow's later steps.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from supply.installed import IMAGES
from supply.released_chart import RELEASE, digest

_PUSHED = re.compile(r"^Digest: (sha256:[0-9a-f]{64})$", re.MULTILINE)


def chart_digest(folder: Path = RELEASE) -> str:
    """Of the chart, as `helm push` has said it.

    Raises:
        ValueError: helm said no digest.
        FileNotFoundError: the chart was not pushed.
    """
    found = _PUSHED.search((folder / "chart.txt").read_text())
    if found is None:
        raise ValueError(f"{folder / 'chart.txt'} has no digest of the chart: make release-chart")
    return found[1]


def references(registry: str, with_chart: bool, folder: Path = RELEASE) -> Iterator[tuple[str, str]]:
    """Name and full reference by digest: the images, and the chart.

    Args:
        registry: without a slash at the end.
        with_chart: the chart too.
        folder: with what the release has left.
    """
    for image in IMAGES:
        yield image, f"{registry}/{image}@{digest(image, folder)}"
    if with_chart:
        yield "chart", f"{registry}/charts/affirm-worker@{chart_digest(folder)}"


def main(arguments: list[str]) -> None:
    """Prints the lines; if something was not pushed it says so and ends with 1."""
    registry, *rest = arguments
    try:
        for name, reference in references(registry, with_chart=rest != ["images"]):
            value = reference.partition("@")[2] if rest == ["--outputs"] else reference
            sys.stdout.write(f"{name}={value}\n")
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"not pushed yet: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
