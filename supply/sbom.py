"""`python -m supply.sbom FOLDER`: the bill of materials of each image, as CycloneDX JSON.

It has the packages of the image's lock file with their hashes and licences, and the libraries that their wheels carry
along, which scanners do not see. What the base image has is not in it: a scanner sees that.
"""

import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import version as installed_version
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from supply.installed import IMAGES, Pinned, bundled, licence, locked


class NotAsLocked(Exception):
    """The packages that are installed here are not those of the images."""


def bill(image: str) -> str:
    """The bill of an image as JSON.

    Raises:
        NotAsLocked: names the package: install requirements/dev.txt first.
    """
    bom = Bom()
    bom.metadata.component = Component(
        type=ComponentType.CONTAINER, name=image, version=installed_version("affirm-worker"), bom_ref=image
    )
    for package in locked(IMAGES[image]):
        here = package.metadata.version
        if here != package.version:
            raise NotAsLocked(f"{package.name} is here in version {here}, and {package.version} in {IMAGES[image]}")
        whole = _component(package)
        parts = [*_parts(package)]
        whole.components.update(parts)
        bom.components.add(whole)
        bom.register_dependency(bom.metadata.component, [whole])
    made = JsonV1Dot6(bom).output_as_string(indent=2)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(made)
    if fault is not None:
        raise AssertionError(fault)
    return str(made)


def _component(package: Pinned) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=PackageURL("pypi", name=package.name, version=package.version),
        bom_ref=f"pypi/{package.name}",
        licenses=[LicenseFactory().make_from_string(licence(package))],
        properties=[
            # One of them is that of the wheel for this image's platform.
            Property(name="affirm-worker:locked-sha256", value=" ".join(package.hashes)),
        ],
    )


def _parts(package: Pinned) -> Iterator[Component]:
    for one in bundled(package):
        yield Component(
            type=ComponentType.LIBRARY,
            name=one.name,
            version=one.version or None,
            bom_ref=f"pypi/{package.name}/{one.path.name}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=_sha256(one.path))],
            cpe=_CPE[one.name].format(one.version) if one.name in _CPE else None,
            properties=[Property(name="affirm-worker:file", value=one.path.name)],
        )


_CPE = {
    "OpenSSL": "cpe:2.3:a:openssl:openssl:{}:*:*:*:*:*:*:*",
    "libpq": "cpe:2.3:a:postgresql:postgresql:{}:*:*:*:*:*:*:*",
}
"""By these a scanner finds what is known of a library."""


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Writes a file for each image."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        file = folder / f"{image}.cdx.json"
        file.write_text(bill(image) + "\n", encoding="utf-8")
        sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()
