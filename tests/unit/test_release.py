"""A release has one version everywhere, its changes in the changelog, and names its images by digest."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from supply import changelog, released, released_chart, version
from supply.installed import IMAGES, ROOT
from supply.release_check import of_base, problems
from tests.cluster import binaries
from tests.unit import chart

COPIED = ("pyproject.toml", "README.md", "charts", "docs/openapi.json", "docs/adding-a-parser.md", "manifests")
PINNED = "python:3.13-slim@sha256:" + "a" * 64


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that name the version, to write into."""
    for name in COPIED:
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_this_checkout_names_one_version_everywhere() -> None:
    assert [*problems("", "")] == []


@pytest.mark.parametrize(
    ("place", "line", "advice"),
    [
        ("charts/affirm-worker/Chart.yaml", "appVersion: {}", "write the same there"),
        ("charts/affirm-worker/Chart.yaml", "\nversion: {}", "write the same there"),
        ("docs/openapi.json", '"version": "{}"', "make docs"),
        ("manifests/affirm-worker.yaml", "helm.sh/chart: affirm-worker-{}", "make manifests"),
        ("README.md", "docker tag affirm-worker:{}", "write the same there"),
        ("docs/adding-a-parser.md", "affirm-parser-runner:{}", "write the same there"),
    ],
)
def test_another_version_anywhere_is_named_with_advice(checkout: Path, place: str, line: str, advice: str) -> None:
    ours = version.declared(checkout)
    replace(checkout / place, line.format(ours), line.format("9.9.9"))
    assert version.problems(checkout, "") == [f"{place} says 9.9.9, and pyproject.toml {ours}: {advice}"]


def test_a_version_that_is_only_raised_is_found_everywhere(checkout: Path) -> None:
    replace(checkout / "pyproject.toml", f'version = "{version.declared(checkout)}"', 'version = "8.0.0"')
    said = "\n".join(version.problems(checkout, ""))
    for place in ("the installed package", *version._MUST, "README.md"):
        assert place in said


def test_a_file_without_any_version_is_a_problem(checkout: Path) -> None:
    replace(checkout / "charts/affirm-worker/Chart.yaml", "appVersion:", "otherVersion:")
    [said] = version.problems(checkout, "")
    assert "Chart.yaml says nothing that is known here" in said


def test_the_tag_is_that_of_the_version() -> None:
    ours = version.declared(ROOT)
    assert version.problems(ROOT, f"v{ours}") == []
    assert "the tag is v9.9.9" in version.problems(ROOT, "v9.9.9")[0]
    assert "the tag is " in version.problems(ROOT, ours)[0]


@pytest.mark.parametrize(
    ("text", "at_release", "before"),
    [
        ("## 1.0.0 - 2026-11-27\n\n- new\n", "", ""),
        ("## [1.0.0] - 2026-11-27\n\n- new\n", "", ""),
        ("## Unreleased\n\n- new\n", "has no section of 1.0.0", ""),
        ("## 0.9.0 - 2026-11-27\n\n- new\n", "has no section of 1.0.0", "has no section of 1.0.0"),
        ("## 1.0.0\n\n- new\n", "has no date of 1.0.0", "has no date of 1.0.0"),
        ("## 1.0.0 - 2026-11-27\n\n## 0.9.0 - 2026-11-01\n\n- old\n", "says nothing under", "says nothing under"),
        ("## Unreleased\n\n- new\n\n## 1.0.0 - 2026-11-27\n\n- old\n", "has changes under `## Unreleased`", ""),
        ("## Unreleased\n\n## 1.0.0 - 2026-11-27\n\n- old\n", "", ""),
    ],
)
def test_a_release_has_a_dated_section_of_its_own(text: str, at_release: str, before: str) -> None:
    for released_now, wanted in ((True, at_release), (False, before)):
        said = "\n".join(changelog.problems(f"# Changelog\n\n{text}", "1.0.0", released_now))
        assert wanted in said if wanted else not said


@pytest.mark.parametrize("base", ["", "python:3.13-slim", "python@sha256:0"])
def test_a_release_stands_on_a_digest(base: str) -> None:
    assert [*of_base("v1.0.0", base)] and not [*of_base("", base)]
    assert not [*of_base("v1.0.0", PINNED)]


@pytest.fixture
def pushed(tmp_path: Path) -> Path:
    """What a release's push of the images and the chart leaves behind."""
    for number, image in enumerate(IMAGES):
        (tmp_path / f"{image}.json").write_text(json.dumps({"containerimage.digest": f"sha256:{number:064}"}))
    (tmp_path / "chart.txt").write_text(f"Pushed: r.example/x\nDigest: sha256:{2:064}\n")
    return tmp_path


def test_the_released_chart_names_the_images_by_digest(pushed: Path) -> None:
    folder = released_chart.write("r.example/x", pushed)
    done = subprocess.run(
        [binaries.helm(), "template", "affirm-worker", folder, "--values", chart.MANIFESTS / "values.yaml"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    pods = [one["spec"]["template"]["spec"] for one in objects if one["kind"] in ("Deployment", "Job")]
    images = {container["image"] for pod in pods for container in pod["containers"]}
    assert {image for image in images if "affirm-" in image} == {f"r.example/x/affirm-worker@sha256:{0:064}"}
    assert f"r.example/x/affirm-parser-runner@sha256:{1:064}" in done.stdout


def test_the_released_chart_keeps_every_comment_of_its_values(pushed: Path) -> None:
    before = (chart.CHART / "values.yaml").read_text().splitlines()
    after = (released_chart.write("r.example/x", pushed) / "values.yaml").read_text().splitlines()
    changed = [(old.split(":")[0].strip(), new) for old, new in zip(before, after, strict=True) if old != new]
    assert [name for name, _ in changed] == ["registry", "digest"] * 2


def test_a_value_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"image\.digest"):
        released_chart.with_values("image: {tag: x}\n", {("image", "digest"): "y"})


def test_what_was_pushed_is_named_by_digest(pushed: Path) -> None:
    assert [*released.references("r.example/x", True, pushed)] == [
        ("affirm-worker", f"r.example/x/affirm-worker@sha256:{0:064}"),
        ("affirm-parser-runner", f"r.example/x/affirm-parser-runner@sha256:{1:064}"),
        ("chart", f"r.example/x/charts/affirm-worker@sha256:{2:064}"),
    ]


def test_a_chart_without_a_digest_is_not_signed(pushed: Path) -> None:
    (pushed / "chart.txt").write_text("Pushed: r.example/x\n")
    with pytest.raises(ValueError, match="make release-chart"):
        released.chart_digest(pushed)


def test_images_carry_the_version_that_pyproject_says() -> None:
    shown = subprocess.run(["make", "--dry-run", "images"], cwd=ROOT, capture_output=True, text=True, check=True)
    ours = version.declared(ROOT)
    assert shown.stdout.count(f"--build-arg VERSION={ours}") == 2
    for image in ("affirm-worker", "affirm-parser-runner"):
        assert f"--tag docker.io/library/{image}:{ours}" in shown.stdout
    assert (ROOT / "Dockerfile").read_text().count('image.version="${VERSION}"') == 2
