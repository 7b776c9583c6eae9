"""Settings: the environment in, checked values or one clear refusal out."""

import os
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings, read_settings, redacted
from dataset_jobs.model.durations import format_duration, parse_duration, parse_when
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.limits import Limits
from docs.generate.settings import PAGE, page


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AFFIRM_WORKER_HOME", str(tmp_path))


def test_the_defaults_are_those_of_the_old_worker_and_of_the_design(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.database_url is None
    assert settings.worker_concurrency == 4
    assert settings.worker_poll_interval == timedelta(seconds=5)
    assert settings.worker_max_retries == 3
    assert [wait.total_seconds() for wait in settings.worker_retry_waits] == [60, 300, 900]
    assert settings.worker_shutdown_grace == timedelta(seconds=30)
    assert settings.pool_max_parallelism is None
    assert settings.storage.to_env() == {"STORAGE_TYPE": "local", "STORAGE_PATH": str(tmp_path / "storage")}


@pytest.mark.parametrize(
    ("user", "data", "home"),
    [
        (0, "/data", "/var/lib/affirm-worker"),
        (1000, "/data", "/data/affirm-worker"),
        (1000, "relative", "/home/you/.local/share/affirm-worker"),
        (1000, "", "/home/you/.local/share/affirm-worker"),
    ],
)
def test_the_home_is_by_the_user_and_not_by_the_folder(
    monkeypatch: pytest.MonkeyPatch, user: int, data: str, home: str
) -> None:
    monkeypatch.delenv("AFFIRM_WORKER_HOME")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("HOME", "/home/you")
    monkeypatch.setenv("XDG_DATA_HOME", data)
    assert read_settings().home == Path(home)


def test_limits_are_handed_on_as_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().limits == Limits()
    for number, name in enumerate(Limits().to_env(), 1):
        monkeypatch.setenv(name, str(number))
    limits = read_settings().limits
    assert [*limits.to_env().values()] == [str(number) for number in range(1, len(fields(Limits)) + 1)]
    assert Limits.from_env(limits.to_env()) == limits
    assert Limits.from_env({"LIMIT_ROWS": "many", "LIMIT_FILE_MIB": ""}) == Limits()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "postgresql://u:p@h:5432/names", "postgresql://u:p@h:5432/names"),
        ("DATABASE_URL", "host=/run/postgresql dbname=names", "host=/run/postgresql dbname=names"),
        ("WORKER_POLL_INTERVAL", "500ms", timedelta(milliseconds=500)),
        ("WORKER_POLL_INTERVAL", "1m30s", timedelta(seconds=90)),
        ("WORKER_RETRY_WAITS", "0s, 1.5s,2h", (timedelta(0), timedelta(seconds=1.5), timedelta(hours=2))),
        ("WORKER_SHUTDOWN_GRACE", "0s", timedelta(0)),
        ("WORKER_MAX_RETRIES", "0", 0),
        ("POOL_MAX_PARALLELISM", "0", 0),
        ("POOL_MAX_PARALLELISM", "", None),
        ("HEALTH_PORT", "8080", 8080),
        ("LOG_LEVEL", "warning", "WARNING"),
        ("LOG_FORMAT", "JSON", "json"),
        ("RUNNER_CONFIG", "/etc/runner.json", Path("/etc/runner.json")),
        ("WORKER_ID", "worker-1", "worker-1"),
        ("LIMIT_ROWS", "5", 5),
    ],
)
def test_what_is_allowed_is_read(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: object) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(read_settings(), name.lower()) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u:hunter2@h/names"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:port:5/names?nonsense=1"),
        ("RUNNER_DATABASE_URL", "hunter2"),
        ("DATABASE_MAX_CONNECTIONS", "1"),
        ("WORKER_CONCURRENCY", "0"),
        ("WORKER_CONCURRENCY", "four"),
        ("WORKER_POLL_INTERVAL", "5"),
        ("WORKER_POLL_INTERVAL", "5 s"),
        ("WORKER_POLL_INTERVAL", "-5s"),
        ("WORKER_POLL_INTERVAL", "1ms"),
        ("WORKER_POLL_INTERVAL", "2h"),
        ("WORKER_MAX_RETRIES", "-1"),
        ("WORKER_MAX_RETRIES", "1.5"),
        ("WORKER_RETRY_WAITS", "1m,,5m"),
        ("WORKER_RETRY_WAITS", "8d"),
        ("POOL", "Default"),
        ("POOL_MAX_PARALLELISM", "-1"),
        ("STORAGE_TYPE", "gcs"),
        ("HEALTH_PORT", "70000"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("NAMESPACE", "not/a/name"),
    ],
)
def test_what_is_not_is_refused_by_name_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as refused:
        read_settings()
    message = str(refused.value)
    assert message.startswith(f"{name} is ")
    assert "; allowed: " in message
    assert "\n" not in message
    assert "hunter2" not in message
    if "DATABASE_URL" not in name:
        assert repr(value) in message


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_CONCURRENCY", "x")
    monkeypatch.setenv("WORKER_MAX_RETRIES", "y")
    with pytest.raises(Misconfigured, match=r"WORKER_CONCURRENCY is 'x'.*; WORKER_MAX_RETRIES is 'y'"):
        read_settings()


def test_what_storage_lacks_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "s3")
    with pytest.raises(Misconfigured, match="STORAGE_S3_BUCKET is not set"):
        read_settings()


def test_no_password_is_in_what_the_settings_print(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "RUNNER_DATABASE_URL", "DATABASE_DIRECT_URL"):
        monkeypatch.setenv(name, "postgresql://u:hunter2@h/names")
    assert "hunter2" not in f"{read_settings()!r} {read_settings()}"


@pytest.mark.parametrize(
    ("conninfo", "shown"),
    [
        ("postgresql://u:hunter2@h:5432/names", "user=u dbname=names host=h port=5432 password=***"),
        ("postgresql://h/names?password=hunter2&sslmode=require", "host=h dbname=names password=***"),
        ("host=/run/postgresql dbname=names", "host=/run/postgresql dbname=names"),
        ("mysql://u:hunter2@h/names", "mysql://..."),
        ("hunter2", "..."),
    ],
)
def test_a_connection_string_is_shown_without_its_password(conninfo: str, shown: str) -> None:
    assert set(redacted(conninfo).split()) == set(shown.split())


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2%@h/names",
        "postgresql://u:hunter2%zz@h/names",
        "postgresql://u:hunter2@x@h/names",
        "postgresql://u:hunter2/x@h/names",
        "postgresql://u:12/hunter2@h/names",
    ],
)
def test_a_password_to_encode_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """libpq would take a part of some of them for a host or a port, and quote it."""
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(
        Misconfigured, match=r"; percent-encode %, @ and / in the password: %25, %40 and %2F$"
    ) as refused:
        read_settings()
    assert "hunter2" not in str(refused.value)
    monkeypatch.setenv("DATABASE_URL", "postgresql://u%40x:hunter%252%40%2F@[::1]:5432,other:/names?user=a@b")
    assert read_settings().database_url


@given(st.integers(0, 10**9))
def test_a_duration_is_read_back_as_it_was_written(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert abs(parse_duration(format_duration(duration)) - duration) < timedelta(milliseconds=1)


@pytest.mark.parametrize("text", ["36501d", "9" * 400 + "d", "876001h", "1e5s", "٣٠m", "nan", "infinity"])
def test_a_duration_that_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"at most 36500d|a number and its unit"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["36501d", "9999-01-01T00:00Z", "9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00", "99999999d"]
)
def test_a_time_too_far_away_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"of the years 1 to 9998|at most 36500d"):
        parse_when(text)


def test_the_page_about_settings_says_what_the_code_does() -> None:
    assert PAGE.read_text() == page(), "run `make docs`"


def test_a_time_without_a_zone_is_the_machines() -> None:
    """Another one is read as written."""
    assert parse_when("1h30m") == timedelta(hours=1, minutes=30)
    assert parse_when("2026-12-01T06:00+02:00") == datetime(2026, 12, 1, 4, tzinfo=UTC)
    assert parse_when("2026-12-01T06:00Z") == datetime(2026, 12, 1, 6, tzinfo=UTC)
    assert parse_when("2026-12-01 06:00") == datetime(2026, 12, 1, 6).astimezone()
    for text in ("", "tomorrow", "5", "-5s", "2026-13-01", "06:00"):
        with pytest.raises(ValueError, match="a time such as"):
            parse_when(text)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgresql://u:hunter2@h/x?schema=public",
         "leave out schema, which is no parameter of a Postgres URL; DATABASE_SCHEMA names the schema"),
        ("postgresql://u:hunter2@h/x?sslmode=require&pool_size=5", "leave out pool_size, which is no parameter"),
        ("postgresql+psycopg2://u:hunter2@h/x", r"leave out \+psycopg2, which only SQLAlchemy knows"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_url_is_named(monkeypatch: pytest.MonkeyPatch, url: str, advice: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(Misconfigured, match=advice) as refused:
        read_settings()
    assert "hunter" not in str(refused.value)
