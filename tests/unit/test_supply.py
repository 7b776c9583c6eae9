"""What is said about the dependencies is what is installed, and silence is no good news."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg import pq

from supply import licences
from supply.installed import IMAGES, ROOT, bundled, locked
from supply.vendor import vendored

TOOLS = ROOT / ".supply"


def test_the_page_of_licences_is_that_of_the_installed_packages() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(), "run `make docs`"


def test_every_package_of_the_images_has_a_licence() -> None:
    rows = dict(re.findall(r"^\| ([\w.-]+)[^|]* \| ([^|]+) \|", licences.page(), re.MULTILINE))
    assert {one.name for file in IMAGES.values() for one in locked(file)} <= rows.keys()
    assert "not said" not in rows.values()
    assert {name for name, licence in rows.items() if "GPL" in licence} == {
        "psycopg", "psycopg-binary", "psycopg-pool", "pycountry"
    }  # fmt: skip


def test_the_libraries_of_psycopg_are_found_with_their_versions() -> None:
    [package] = [one for one in locked(IMAGES["affirm-parser-runner"]) if one.name == "psycopg-binary"]
    found = {one.name: one.version for one in bundled(package)}
    assert found["libpq"] == f"{pq.version() // 10_000}.{pq.version() % 10_000}"
    assert re.fullmatch(r"3\.\d+\.\d+", found["OpenSSL"])


@pytest.mark.skipif(not (TOOLS / ".done").exists(), reason="the tools are not installed: make sbom")
def test_the_bill_of_an_image_has_all_of_it(tmp_path: Path) -> None:
    subprocess.run([TOOLS / "bin" / "python", "-m", "supply.sbom", tmp_path], cwd=ROOT, check=True, timeout=120)
    for image, file in IMAGES.items():
        made = json.loads((tmp_path / f"{image}.cdx.json").read_text())
        components = {one["name"]: one for one in made["components"]}
        of_others = vendored() if image == "affirm-worker" else ()
        assert {name: one["version"] for name, one in components.items()} == {
            **{one.name: one.version for one in locked(file)},
            **{one.package: one.version for one in of_others},
        }
        inside = {one["name"]: one for one in components["psycopg-binary"]["components"]}
        assert inside["libpq"]["version"] and "openssl:3." in inside["OpenSSL"]["cpe"]
        assert made["metadata"]["component"]["name"] == image


@pytest.mark.parametrize(
    ("answer", "ends", "code", "said"),
    [
        ({"name": "a", "version": "1", "vulns": []}, 0, 0, "nothing is known against 1 packages"),
        ({"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}, 1, 1, "a 1: CVE-1"),
        ({"name": "a", "skip_reason": "not found"}, 0, 75, "NOT AUDITED: nothing could be learned of 1 of 1"),
        ({"name": "a", "version": "1", "vulns": []}, 1, 75, "NOT AUDITED"),
        (None, 1, 75, "NOT AUDITED: nobody answers"),
    ],
)
def test_an_audit_that_learns_nothing_is_no_good_news(
    tmp_path: Path, answer: dict[str, object] | None, ends: int, code: int, said: str
) -> None:
    """pip-audit ends with 0 then, unless it is strict."""
    shown = json.dumps({"dependencies": [answer]}) if answer else ""
    (tmp_path / "pip_audit.py").write_text(
        f"import sys\nassert '--strict' in sys.argv\nprint({shown!r})\nprint('nobody answers', file=sys.stderr)\n"
        f"sys.exit({ends})\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "supply.audit"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == code
    assert done.stdout.count(said) == 3, "for each lock file"


def test_images_can_stand_on_a_digest() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^ARG BASE=\S+$", dockerfile, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) <= {
        "${BASE}", "python", "builder", "controller-code"
    }  # fmt: skip
    shown = subprocess.run(
        ["make", "--dry-run", "images", "BASE=python@sha256:0"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.count("--build-arg BASE=python@sha256:0") == 2
