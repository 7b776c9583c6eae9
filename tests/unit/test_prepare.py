"""The step before the tests: it builds and says so, and nothing else builds."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.cluster import binaries, building, gobuild, images, paths
from tests.cluster.errors import NotPrepared
from tests.cluster.images import Image
from tests.prepare import __main__ as step
from tests.prepare import needs, parts
from tests.prepare.parts import Part, Thing
from tests.servers import postgres

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in ("tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if path != Path(__file__)
}
Session = Callable[[str, str], tuple[int, str]]
NEEDY = """
import pytest
from tests.cluster import building

@pytest.mark.needs("spin")
@pytest.mark.parametrize("number", range(3))
def test_that_needs_spin(number): pass

def test_that_runs(): pass
"""
BUILDING = """
@pytest.mark.parametrize("number", range(3))
def test_that_needs_what_is_not_built(number): building.require("kwok-1")
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache."""
    monkeypatch.setenv("AFFIRM_WORKER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def asked(make: Callable[[], object]) -> str:
    """The name of the missing thing on an empty machine."""
    with pytest.raises(NotPrepared) as missing:
        make()
    return missing.value.what


def sources_with(pattern: str) -> set[str]:
    return {name for name, text in SOURCES.items() if re.search(pattern, text)}


def calls_of(name: str) -> set[str]:
    """The sources that call a function of this name."""
    return {
        path
        for path, text in SOURCES.items()
        if f"{name}(" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name
    }


def test_only_the_step_fills_the_cache(cache: Path) -> None:
    with pytest.raises(NotPrepared, match=r"tool-1 is not there, and only `make prepare` builds"):
        paths.cached("tool-1", lambda folder: (folder / "tool").touch())
    assert list(cache.iterdir()) == []
    with building.allowed():
        folder = paths.cached("tool-1", lambda folder: (folder / "tool").touch())
    assert paths.cached("tool-1", lambda folder: (folder / "other").touch()) == folder
    assert [path.name for path in folder.iterdir()] == ["tool"]


def test_only_the_step_builds_an_image(cache: Path) -> None:
    for image in images.ALL:
        assert asked(partial(images.archive, image)).startswith("the image localhost/affirm-")
    assert list(cache.iterdir()) == []


def test_only_the_step_makes_a_system_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres, "OS_USER", "affirm-nobody")
    assert asked(lambda: postgres.binaries(18)) == "the system's user affirm-nobody"


def test_the_step_builds_all_that_tests_ask_for() -> None:
    """A new program or image belongs into tests/prepare/parts.py, or this fails."""
    programs = [
        getattr(binaries, node.name)
        for node in ast.parse(SOURCES["tests/cluster/binaries.py"]).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    things = (parts.HELM, parts.HELM_3, parts.S3, parts.KARPENTER, *parts.LOCAL_CLUSTER)
    listed = {asked(thing.make) for thing in things}
    assert {asked(program) for program in programs} == listed
    assert {name.rpartition("-")[0] for name in listed} >= {path.name for path in gobuild.MODULES.iterdir()}
    assert calls_of("cached") == {
        "tests/cluster/base_image.py",  # a part of every image
        "tests/cluster/go_toolchain.py",
        "tests/cluster/gobuild.py",
        "tests/cluster/images.py",  # what an image of programs is built from
        "tests/cluster/kubectl_layer.py",
        "tests/servers/axe.py",
        "tests/unit/test_cluster_processes.py",
    }
    assert calls_of("Image") == {"tests/cluster/images.py"}
    made = [value for value in vars(images).values() if isinstance(value, Image)]
    assert set(images.ALL) == {images.BASE, *made}


def test_nobody_builds_or_installs_past_the_rule() -> None:
    tools = r'"(apt-get|buildah|bud|debootstrap|docker|pip|useradd|go build)"|/bin/pip'
    assert sources_with(tools) == {
        "tests/cluster/base_image.py",
        "tests/cluster/image_builders.py",
        "tests/cluster/kind.py",
        "tests/cluster/packages.py",
        "tests/cluster/wheels.py",
        "tests/servers/postgres.py",
        # Of a package of parsers, which is what it tests; nothing is fetched for it.
        "tests/integration/test_plugin_package.py",
    }
    assert calls_of("allowed") == {"tests/prepare/__main__.py", "tests/unit/test_cluster_processes.py"}
    assert sources_with(r"packages\.install\b") == {"tests/prepare/__main__.py", "tests/cluster/__main__.py"}
    assert calls_of("builder") == {"tests/cluster/images.py"}


def test_parts_fit_the_make_targets_and_test_folders() -> None:
    [targets] = re.findall(r"^PREPARE := \$\(addprefix prepare-,(.*)\)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(targets.split()) == set(parts.NAMES)
    folders = {name.split("/")[1] for name in SOURCES if re.fullmatch(r"tests/\w+/test_\w+\.py", name)}
    assert folders == parts.FOLDERS.keys()
    assert set(parts.FOLDERS.values()) < set(parts.NAMES)


def test_a_changed_file_makes_a_new_image(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY LICENSE code ./\nCOPY --from=a /x y\n")
    (tmp_path / "code").mkdir()
    for name in ("LICENSE", "code/main.py", "other.py"):
        (tmp_path / name).touch()
    image = Image("tool", tmp_path)
    before = image.digest("base")
    (tmp_path / "other.py").write_text("changed")
    assert image.digest("base") == before
    assert image.digest("other base") != before
    (tmp_path / "code" / "main.py").write_text("changed")
    assert image.digest("base") != before


def test_product_images_hold_the_whole_product() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for image in (images.CONTROLLER, images.PARSER_RUNNER):
        files = {path.relative_to(ROOT).parts[0] for path in image.files()}
        assert files == set(re.findall(r"^!([\w.-]+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
        assert f"AS {image.target}\n" in dockerfile


def prepared_by(thing: Thing, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setitem(parts._PARTS, "faults", lambda: Part((thing,)))
    return step.main(["faults"])


def test_the_step_reports_each_build_and_its_time(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], cache: Path
) -> None:
    def make(folder: Path) -> None:
        subprocess.run(["echo", "what the tool has to say"], check=True)

    thing = Thing("building", "the tool 1", lambda: paths.cached("tool-1", make))
    assert prepared_by(thing, monkeypatch) == 0
    said = capfd.readouterr().out
    assert re.search(r"^  building   the tool 1 +0 s$", said, re.MULTILINE), said
    assert re.search(r"^prepared in \d s$", said, re.MULTILINE), said
    assert "has to say" not in said
    assert "has to say" in (cache / "prepare.log").read_text()
    assert prepared_by(thing, monkeypatch) == 0
    assert capfd.readouterr().out == "", "all is there"


def test_a_failed_build_ends_the_step_with_its_output(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def make(folder: Path) -> None:
        subprocess.run(["sh", "-c", "echo no space left >&2; exit 3"], check=True)

    assert prepared_by(Thing("building", "the tool 1", lambda: paths.cached("tool-1", make)), monkeypatch) == 1
    said = capfd.readouterr().out
    assert "no space left" in said.splitlines()
    assert "building the tool 1: Command" in said.splitlines()[-1]


@pytest.mark.parametrize(("ci", "code", "verb"), [("", 0, "are skipped"), ("true", 1, "cannot run")])
def test_nothing_is_built_for_tests_that_cannot_run(
    ci: str, code: int, verb: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], cache: Path
) -> None:
    for name, value in {"CI": ci, "AFFIRM_TEST_KUBECONFIG": "", "PATH": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    needs.lacking.cache_clear()
    assert step.main(["e2e"]) == code
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith(f"the end-to-end tests {verb}: AFFIRM_TEST_KUBECONFIG is not set; there is no")
    assert lines.count("    sudo make cluster-deps e2e") == 1
    assert not [path for path in cache.iterdir() if path.is_dir()]
    needs.lacking.cache_clear()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Runs pytest with our rules on a machine without spin; returns its exit code and its output."""
    (tmp_path / "conftest.py").write_text(
        "from tests.prepare.rules import pytest_runtest_makereport, pytest_runtest_setup\n"
    )

    def run(ci: str, tests: str) -> tuple[int, str]:
        (tmp_path / "test_needy.py").write_text(tests)
        options = ["-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", f"--config-file={ROOT / 'pyproject.toml'}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, tmp_path / "test_needy.py"],
            env={"PATH": "/nowhere", "CI": ci, "HOME": str(tmp_path)}, cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


def test_impossible_tests_are_skipped_in_one_line(session: Session) -> None:
    code, said = session("", NEEDY)
    assert code == 0, said
    assert said.count("the tests of the lease model are skipped: Debian packages are missing: spin gcc") == 1
    assert "SKIPPED [3]" in said
    assert re.search(r"^    (sudo )?make cluster-deps$", said, re.MULTILINE), said
    assert "1 passed, 3 skipped" in said


def test_in_ci_they_fail_once_and_the_others_run(session: Session) -> None:
    code, said = session("true", NEEDY)
    assert code == 1, said
    assert "the tests of the lease model cannot run: Debian packages are missing: spin gcc" in said
    assert "1 passed, 2 skipped, 1 error" in said


def test_a_build_inside_a_test_ends_the_session(session: Session) -> None:
    code, said = session("", NEEDY + BUILDING)
    assert code == 1, said
    assert "kwok-1 is not there, and only `make prepare` builds for tests:\n    make prepare-all\n" in said
    assert "1 failed, 1 passed, 3 skipped" in said
    assert "Traceback" not in said
