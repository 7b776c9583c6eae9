"""What a user types, as files to submit: paths, folders, stdin, and what is none."""

import io
import os
from pathlib import Path

import pytest

from dataset_jobs.model.requests import InvalidRequest
from services.sources.buckets import S3Server
from services.sources.given import Found, Reach, find_sources
from services.sources.passed_over import why_passed_over
from services.sources.source import NoSource
from tests.servers.file_server import Page, serving


def find(
    *given: str | Path, recursive: bool = False, name: str | None = None, stdin: bytes = b"", most: int = 100
) -> Found:
    reach = Reach(most, S3Server(), lambda: io.BytesIO(stdin))
    return find_sources([str(one) for one in given], reach, recursive=recursive, name=name)


def shown(found: Found) -> list[str]:
    return [one.shown for one in found.sources]


def passed(found: Found, folder: Path) -> dict[str, str]:
    return {str(Path(one.shown).relative_to(folder)): one.why for one in found.passed_over}


def fetched(found: Found) -> list[tuple[str, bytes]]:
    files = []
    for source in found.sources:
        with source.fetch(lambda _: None) as file:
            files.append((file.path.name, file.path.read_bytes()))
    return files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    (made / "old" / "older").mkdir(parents=True)
    for name in ("yob2002.txt", "yob2001.txt", "README.md", ".DS_Store", "notes.pdf", "old/yob1999.txt", "~$b.xlsx"):
        (made / name).write_text(name)
    (made / "old" / "older" / "yob1998.txt").write_text("old")
    (made / "within.txt").symlink_to("old/yob1999.txt")
    (made / "out.txt").symlink_to(tmp_path / "elsewhere.txt")
    (tmp_path / "elsewhere.txt").write_text("not ours")
    (made / "loop").symlink_to(made)
    (made / "nothing.txt").symlink_to("gone")
    os.mkfifo(made / "pipe")
    return made


def test_a_folder_is_the_files_directly_in_it(folder: Path) -> None:
    """The order is that of their names, and whatever is passed over is named."""
    found = find(folder)
    assert shown(found) == [f"{folder}/{name}" for name in ("within.txt", "yob2001.txt", "yob2002.txt")]
    assert passed(found, folder) == {
        ".DS_Store": "hidden", "~$b.xlsx": "hidden", "README.md": "about the files", "notes.pdf": "document",
        "old": "a folder", "loop": "a link to a folder", "out.txt": "a link out of the folder",
        "nothing.txt": "a link to nothing", "pipe": "no file",
    }  # fmt: skip


def test_recursive_takes_what_lies_in_its_folders(folder: Path) -> None:
    found = find(folder, recursive=True)
    names = ["old/older/yob1998.txt", "old/yob1999.txt", "within.txt", "yob2001.txt", "yob2002.txt"]
    assert shown(found) == [f"{folder}/{name}" for name in names]
    assert passed(found, folder)["loop"] == "a link to a folder"


def test_a_folder_without_a_file_is_refused_alone(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "README").touch()
    found = find(empty, folder / "yob2001.txt")
    assert isinstance(found.sources[0], NoSource)
    with pytest.raises(InvalidRequest, match="empty: there is no file to load in this folder"):
        fetched(found)
    assert fetched(Found(found.sources[1:])) == [("yob2001.txt", b"yob2001.txt")]


def test_a_file_given_by_name_is_never_passed_over(folder: Path) -> None:
    found = find(folder / "README.md", folder / "out.txt", tmp := folder / "no-such.txt")
    assert shown(found) == [f"{folder}/README.md", f"{folder}/out.txt", str(tmp)]
    assert not found.passed_over


def test_stdin_is_a_file_under_the_name_that_is_given() -> None:
    assert fetched(find("-", name="yob2020.txt", stdin=b"Mary,F,1\n")) == [("yob2020.txt", b"Mary,F,1\n")]
    with pytest.raises(InvalidRequest, match="more than 0 MiB"):
        fetched(find("-", name="yob2020.txt", stdin=b"x" * 101))


def test_a_file_goes_by_another_name(folder: Path) -> None:
    assert fetched(find(folder / "yob2001.txt", name="yob1901.txt")) == [("yob1901.txt", b"yob2001.txt")]


@pytest.mark.parametrize(
    ("given", "name", "said"),
    [
        (["-"], None, "needs the publisher's name"),
        (["-", "a.txt"], None, "stdin is one file"),
        (["a.txt", "b.txt"], "c.txt", "a name goes with one file"),
        (["a.txt"], "../c.txt", "plain name"),
        (["a.txt"], "", "plain name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(given: list[str], name: str | None, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        find(*given, name=name)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ftp://me:pw@example.org/a.txt", r"ftp://\*\*\*@example.org/a.txt: ftp:// is not read"),
        ("https://", "no address of a file"),
        ("s3://bucket", "expected s3://bucket/key"),
        ("s3://b/key", "expected s3://bucket/key"),
    ],
)
def test_what_is_no_source_is_refused_with_the_others_going_on(given: str, said: str) -> None:
    [refused, other] = find(given, "a.txt").sources
    assert other.shown == "a.txt"
    with pytest.raises(InvalidRequest, match=said), refused.fetch(lambda _: None):
        pass


def test_a_folder_takes_no_name(folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="not with a folder"):
        fetched(find(folder, name="a.txt"))


def test_an_address_tells_how_far_it_is() -> None:
    said: list[str] = []
    with serving() as server:
        url = server.at("/yob2020.txt", Page(b"x" * 100))
        [source] = find(url.replace("http://", "http://me:pw@")).sources
        with source.fetch(said.append) as file:
            assert file.path.name == "yob2020.txt"
            folder = file.path.parent
        assert not folder.exists()
    assert said == [f"fetching {url}: 0.0 of 0.0 MiB"]
    assert source.shown == url


@pytest.mark.parametrize("name", ["yob2020.txt", "names", "a.b.csv", "VSA10.px", "x.json", "readme2020.csv", "list.R2"])
def test_what_may_be_a_list_is_taken(name: str) -> None:
    assert why_passed_over(name) is None


@pytest.mark.parametrize(
    "name", ["ReadMe", "README.txt", "NationalReadMe.pdf", "Thumbs.db", "a.PNG", "a.csv.sha256", ".x"]
)
def test_what_can_be_no_list_is_passed_over(name: str) -> None:
    assert why_passed_over(name) is not None
