"""The files of others that pages load: as their publishers made them, with their licences, and small."""

from dashboard.static_files import static_files
from supply.vendor import FOLDER, hash_of, vendored


def test_every_file_is_the_one_of_the_lock() -> None:
    assert {one.file: hash_of((FOLDER / one.file).read_bytes()) for one in vendored()} == {
        one.file: one.sha384 for one in vendored()
    }


def test_every_file_is_in_the_lock_with_its_licence() -> None:
    locked = {name for one in vendored() for name in (one.file, one.licence_file)}
    assert {path.name for path in FOLDER.iterdir()} == locked


def test_what_pages_load_is_small() -> None:
    sizes = {name: len(file.content) for name, file in static_files().items()}
    assert sizes["copy.js"] <= 700
    assert sum(sizes.values()) <= 150_000
