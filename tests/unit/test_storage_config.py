import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured
from dataset_jobs.storage import StorageConfig
from dataset_jobs.storage.keys import checked

S3 = {"STORAGE_TYPE": "s3", "STORAGE_S3_BUCKET": "name-files"}


def refused(env: dict[str, str]) -> str:
    with pytest.raises(Misconfigured) as caught:
        StorageConfig.from_env(env)
    assert caught.value.reason is Reason.CONFIG
    return str(caught.value)


def test_local_is_the_default_and_takes_the_default_path() -> None:
    assert StorageConfig.from_env({}, Path("/data")) == StorageConfig("local", path=Path("/data"))


def test_a_set_path_goes_before_the_default_path() -> None:
    assert StorageConfig.from_env({"STORAGE_PATH": "/own"}, Path("/data")).path == Path("/own")


def test_a_relative_path_is_made_absolute() -> None:
    """So a child in another folder finds the same files."""
    assert StorageConfig.from_env({"STORAGE_PATH": "data"}).path == Path.cwd() / "data"


def test_empty_values_count_as_none() -> None:
    """Spaces around a value do not count."""
    env = {**S3, "STORAGE_TYPE": "s3\n", "STORAGE_S3_REGION": "", "STORAGE_S3_ENDPOINT": " ", "STORAGE_PATH": ""}
    assert StorageConfig.from_env(env) == StorageConfig("s3", bucket="name-files")


def test_all_s3_settings_are_read() -> None:
    env = {
        **S3,
        "STORAGE_S3_REGION": "eu-central-1",
        "STORAGE_S3_ENDPOINT": "https://s3.example.org:9000/",
        "STORAGE_S3_PREFIX": "/affirm/files/",
    }
    assert StorageConfig.from_env(env) == StorageConfig(
        "s3",
        bucket="name-files",
        region="eu-central-1",
        endpoint="https://s3.example.org:9000",
        prefix="affirm/files",
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("STORAGE_TYPE", "S3", "local or s3"),
        ("STORAGE_TYPE", "gcs", "local or s3"),
        ("STORAGE_S3_BUCKET", "a/b", "a bucket's name"),
        ("STORAGE_S3_BUCKET", "ab", "a bucket's name"),
        ("STORAGE_S3_REGION", "eu central", "a region"),
        ("STORAGE_S3_ENDPOINT", "s3.example.org", "http:// or https://"),
        ("STORAGE_S3_ENDPOINT", "ftp://s3.example.org", "http:// or https://"),
        ("STORAGE_S3_ENDPOINT", "https://", "http:// or https://"),
        ("STORAGE_S3_ENDPOINT", "https://s3.example.org:port", "http:// or https://"),
        ("STORAGE_S3_ENDPOINT", "https://[::1", "http:// or https://"),
        ("STORAGE_S3_PREFIX", "a/../b", "names with slashes"),
        ("STORAGE_S3_PREFIX", "a//b", "names with slashes"),
    ],
)
def test_a_wrong_value_is_refused_by_name_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    message = refused({**S3, name: value})
    assert message.startswith(f"{name} is {value!r}; allowed: {allowed}")


def test_what_is_needed_and_not_set_is_named() -> None:
    assert "STORAGE_PATH is not set" in refused({})
    assert "STORAGE_S3_BUCKET is not set" in refused({"STORAGE_TYPE": "s3"})


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://key:hunter2@s3.example.org",
        "key:hunter2@s3.example.org",
        "https://key:hun@ter2@[broken",
        "https://s3.example.org?token=hunter2",
    ],
)
def test_an_endpoint_with_credentials_is_refused_without_showing_them(endpoint: str) -> None:
    message = refused({**S3, "STORAGE_S3_ENDPOINT": endpoint})
    assert "STORAGE_S3_ENDPOINT" in message
    assert "hun" not in message
    assert "ter2" not in message


def test_settings_of_the_other_kind_are_not_looked_at() -> None:
    assert StorageConfig.from_env({"STORAGE_PATH": "/data", "STORAGE_S3_BUCKET": "/"}).type == "local"


NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)


@given(
    st.one_of(
        st.builds(lambda name: StorageConfig("local", path=Path("/") / name), NAMES),
        st.builds(
            StorageConfig,
            st.just("s3"),
            bucket=st.from_regex(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", fullmatch=True),
            region=st.sampled_from(["", "eu-central-1", "auto"]),
            endpoint=st.sampled_from(["", "http://127.0.0.1:7070", "https://s3.example.org/base"]),
            prefix=st.lists(NAMES, max_size=3).map("/".join),
        ),
    )
)
def test_what_to_env_writes_from_env_reads_back(config: StorageConfig) -> None:
    assert StorageConfig.from_env(config.to_env()) == config


@pytest.mark.parametrize("key", ["", "/", "/US/1", "US/", "US//1", ".", "..", "US/../../etc/passwd", "US/."])
def test_a_key_that_leads_elsewhere_is_refused(key: str) -> None:
    with pytest.raises(Forbidden) as caught:
        checked(key)
    assert caught.value.reason is Reason.STORAGE


@pytest.mark.parametrize("key", ["a\0b", "a\nb", "\ud800", "x" * 256, "x/" * 600 + "x"])
def test_a_key_that_fits_nowhere_is_refused_in_words_that_can_be_logged(key: str) -> None:
    with pytest.raises(Forbidden) as caught:
        checked(key)
    assert str(caught.value).encode().isascii()


def test_opening_local_storage_imports_neither_boto3_nor_pydantic(tmp_path: Path) -> None:
    program = """if True:
        import io, os, sys
        from dataset_jobs.storage import StorageConfig, open_storage
        storage = open_storage(StorageConfig.from_env(os.environ))
        with storage.open(storage.put("US/1", io.BytesIO(b"x"))) as file:
            assert file.read() == b"x"
        print(sorted({name.partition(".")[0] for name in sys.modules}))
    """
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "STORAGE_TYPE": "local", "STORAGE_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    for heavy in ("boto3", "botocore", "s3transfer", "urllib3", "pydantic"):
        assert f"'{heavy}'" not in run.stdout
