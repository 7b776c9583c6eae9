"""`affirm-worker doctor`: each check is made to fail on the real thing, and passes once its fix was carried out."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.checks import NAMES, Patient
from dataset_jobs.migrations import LATEST, MIGRATIONS
from dataset_jobs.store.client_connection import ClientConnection
from services.checks.database import Expected, check_server
from services.checks.storage import FOLDER
from tests.cluster.packages import program
from tests.fakes.packages import good, make_package
from tests.integration.command_line import Run, answer, bare, runner
from tests.kit.newer_schema import refuse_this_program
from tests.servers.as_user import NO_ENTRY, affirm, folder_for_all
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer, Standby
from tests.servers.versitygw import VersityGateway

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="other users and file systems need root")


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersityGateway]:
    with VersityGateway(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def login(postgres: PostgresServer, database: str) -> Iterator[Callable[[str], str]]:
    """Makes a login role, and returns the database's URL with it."""
    made = []

    def make(name: str) -> str:
        sql(database, f"create role {name} login password 'x'")
        made.append(name)
        return database.replace(f"postgres:{postgres.password}@", f"{name}:x@")

    yield make
    for name in made:
        sql(database, f"drop owned by {name}; drop role {name}")


def sql(database: str, *statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for one in statements:
            connection.execute(one.encode())


def found(run: Run, *names: str, code: int = 0, **settings: Any) -> dict[str, Any]:
    """What checks found, by name."""
    said = answer(run("doctor", *names, "--json", code=code, **settings))
    assert said["ok"] == (code == 0)
    return {one["name"]: one for one in said["checks"]}


def says(checked: dict[str, Any]) -> str:
    return "; ".join(one["says"] for one in checked["findings"] if one["verdict"] != "ok")


def fixes(checked: dict[str, Any]) -> list[dict[str, Any]]:
    return [fix for one in checked["findings"] for fix in one["fixes"]]


@pytest.mark.every_postgres
def test_a_good_installation_has_only_a_missing_controller(run: Run) -> None:
    checked = found(run)
    verdicts = {name: one["verdict"] for name, one in checked.items()}
    assert (verdicts.pop("controllers"), verdicts.pop("logins")) == ("warning", "warning")
    assert set(verdicts.values()) == {"ok"}
    assert [*verdicts] == [
        "settings", "database", "schema", "rights", "runner", "storage", "parsers", "descriptions", "space", "machine",
        "queue",
    ]  # fmt: skip
    lines = run("doctor").stdout.splitlines()
    assert lines[-1] == f"{sum(line.startswith('ok ') for line in lines)} ok, 3 warning"
    at = next(number for number, line in enumerate(lines) if "no controller is running" in line)
    assert bare(lines[at + 1].strip()) == "affirm-worker run"


def test_no_password_is_shown(run: Run, database: str, postgres: PostgresServer) -> None:
    for arguments in ((), ("--json",)):
        done = run("doctor", *arguments, RUNNER_DATABASE_URL=database)
        assert postgres.password not in done.stdout + done.stderr


def test_only_the_named_checks_are_shown(run: Run) -> None:
    assert [*found(run, "queue", "space")] == ["space", "queue"]
    assert "there is no check 'spaces': there are settings, " in run("doctor", "spaces", code=65).stderr


def test_a_wrong_setting_skips_what_needs_it(run: Run) -> None:
    checked = found(run, code=1, WORKER_CONCURRENCY="many")
    assert "WORKER_CONCURRENCY is 'many'; allowed: a whole number from 1 to 1024" in says(checked["settings"])
    assert fixes(checked["settings"])[0]["line"] == "unset WORKER_CONCURRENCY"
    assert checked["parsers"]["verdict"] == "ok"
    assert says(checked["database"]) == "needs settings, which is wrong"
    assert says(checked["queue"]) == "needs schema, which is skipped"


def test_a_variable_that_is_nearly_a_setting_is_a_warning(run: Run) -> None:
    checked = found(run, "settings", RUNER_DATABASE_URL="postgresql://somewhere")["settings"]
    assert says(checked) == "RUNER_DATABASE_URL is not a setting; did you mean RUNNER_DATABASE_URL?"


def test_the_summary_counts_the_lines_above_it(run: Run) -> None:
    lines = run("doctor", "settings", WORKER_CONCURRENCY="many", RUNNER_CONFIG="", POOL_MAX_PENDING="no", code=1).stdout
    assert lines.endswith("\n2 wrong\n")


def test_a_database_that_is_not_there_is_wrong(run: Run, database: str) -> None:
    checked = found(run, code=1, DATABASE_URL=f"{database}x")
    assert "does not exist" in says(checked["database"])
    assert checked["storage"]["verdict"] == "ok"


def test_a_login_that_is_refused_is_wrong(run: Run, database: str, postgres: PostgresServer) -> None:
    refused = database.replace(postgres.password, "hunter2")
    for check, setting in (("database", "DATABASE_URL"), ("runner", "RUNNER_DATABASE_URL")):
        checked = found(run, check, code=1, **{setting: refused})[check]
        assert "password authentication failed" in says(checked)
        assert "hunter2" not in json.dumps(checked)


def test_a_missing_schema_is_migrated_by_its_fix(run: Run, empty_database: str) -> None:
    checked = found(run, "schema", code=1, DATABASE_URL=empty_database)["schema"]
    assert "there are no tables in schema affirm yet" in says(checked)
    assert [bare(fix["line"]) for fix in fixes(checked)] == ["affirm-worker migrate"]
    assert "  affirm-worker migrate\n" in bare(run("doctor", "schema", code=1, DATABASE_URL=empty_database).stdout)
    run("migrate", DATABASE_URL=empty_database)
    assert found(run, "schema", DATABASE_URL=empty_database)["schema"]["verdict"] == "ok"


def test_a_schema_of_an_older_version_is_wrong(run: Run, database: str) -> None:
    sql(database, f"delete from affirm.schema_migrations where version = {LATEST}")
    checked = found(run, "schema", code=1)["schema"]
    assert f"at version {MIGRATIONS[-2].version}, and this program needs {LATEST}" in says(checked)
    assert bare(fixes(checked)[0]["line"]) == "affirm-worker migrate"


def test_a_schema_that_refuses_this_version_is_wrong(run: Run, database: str) -> None:
    refuse_this_program(database)
    assert "newer than this affirm-worker" in says(found(run, "schema", code=1)["schema"])


@pytest.mark.every_postgres
def test_a_role_without_rights_gets_them_by_the_fix(run: Run, database: str, login: Callable[[str], str]) -> None:
    url = login("doctor_controller")
    for check in ("schema", "rights"):
        checked = found(run, check, code=check == "schema", DATABASE_URL=url)[check]
        if check == "schema":
            assert "the role doctor_controller may not use the schema affirm" in says(checked)
            [fix] = fixes(checked)
            sql(database, fix["line"])
        else:
            assert checked["verdict"] == "ok"


def test_one_right_that_is_missing_is_named(run: Run, database: str, login: Callable[[str], str]) -> None:
    url = login("doctor_lacking")
    sql(database, "grant affirm_controller to doctor_lacking", "revoke insert on affirm.jobs from affirm_controller")
    checked = found(run, "rights", code=1, DATABASE_URL=url)["rights"]
    assert "the role doctor_lacking lacks rights that controllers and commands need: INSERT on jobs" in says(checked)
    [fix] = fixes(checked)
    assert (bare(fix["line"]), fix["by"]) == ("affirm-worker migrate", "the owner of the tables")
    run("migrate")
    assert found(run, "rights", DATABASE_URL=url)["rights"]["verdict"] == "ok"


def test_a_runners_login_to_another_database_is_wrong(run: Run, postgres: PostgresServer) -> None:
    other = postgres.create_database("doctor_other")
    try:
        checked = found(run, "runner", code=1, RUNNER_DATABASE_URL=other)["runner"]
        assert "leads to another database" in says(checked)
    finally:
        postgres.drop_database("doctor_other")


def test_an_owner_who_may_end_no_connection_is_a_warning(run: Run, database: str, login: Callable[[str], str]) -> None:
    login("doctor_owner")
    sql(database, "alter function affirm.terminate_runners owner to doctor_owner")
    checked = found(run, "rights")["rights"]
    assert (checked["verdict"], "may not end connections" in says(checked)) == ("warning", True)
    sql(database, fixes(checked)[0]["line"])
    assert found(run, "rights")["rights"]["verdict"] == "ok"
    sql(database, "alter function affirm.terminate_runners owner to postgres")


def test_too_few_connections_are_a_warning(run: Run, database: str, login: Callable[[str], str]) -> None:
    checked = found(run, "database", DATABASE_MAX_CONNECTIONS="1000")["database"]
    assert "a controller with its runs may take 1009" in says(checked)
    assert fixes(checked)[0]["line"].startswith("alter system set max_connections = ")
    url = login("doctor_limited")
    sql(database, "alter role doctor_limited connection limit 5", "grant affirm_controller to doctor_limited")
    checked = found(run, "database", DATABASE_URL=url)["database"]
    assert "the role doctor_limited may have 5 connections at once" in says(checked)
    sql(database, fixes(checked)[0]["line"])
    assert found(run, "database", DATABASE_URL=url)["database"]["verdict"] == "ok"


def test_a_storage_folder_that_is_missing_is_made_by_the_fix(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "not there")
    checked = found(run, "storage", code=1, STORAGE_PATH=path)["storage"]
    assert "is not there" in says(checked)
    subprocess.run(fixes(checked)[0]["line"], shell=True, check=True)
    assert found(run, "storage", STORAGE_PATH=path)["storage"]["verdict"] == "ok"
    assert [one for one in Path(path).rglob("*") if one.is_file()] == []


def test_what_a_check_that_died_has_left_is_removed(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name in ("1000-left", f"{2**40}-of-now", "of somebody"):
        (folder / name).write_text("x")
    found(run, "storage", STORAGE_PATH=str(tmp_path))
    assert sorted(one.name for one in folder.iterdir()) == [f"{2**40}-of-now", "of somebody"]


@needs_root
def test_a_storage_folder_that_is_read_only_is_opened_by_the_fix(database: str) -> None:
    with folder_for_all() as above:
        folder = above / "files"
        folder.mkdir()
        os.chown(folder, NO_ENTRY, 0)
        folder.chmod(0o500)
        environment = {"DATABASE_URL": database, "STORAGE_PATH": str(folder)}

        def look() -> "subprocess.CompletedProcess[str]":
            return affirm("doctor", "storage", "--json", uid=NO_ENTRY, environment=environment)

        done = look()
        assert done.returncode == 1
        [checked] = json.loads(done.stdout)["checks"]
        assert "Permission denied" in says(checked)
        subprocess.run(shlex.split(fixes(checked)[0]["line"]), check=True)
        assert look().returncode == 0


@needs_root
def test_a_full_disk_is_wrong_until_there_is_room(run: Run, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", full], capture_output=True).returncode:
        pytest.skip("mount is refused here: no CAP_SYS_ADMIN, or a seccomp filter")
    try:
        checked = found(run, "space", code=1, STORAGE_PATH=str(full))["space"]
        assert "the disk is full, 8 MiB are free" in says(checked)
        subprocess.run(fixes(checked)[0]["line"], shell=True, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "remount,size=64m", full], check=True)
        assert "less than a file may have (LIMIT_FILE_MIB is 512)" in says(
            found(run, "space", STORAGE_PATH=str(full))["space"]
        )
        assert found(run, "space", STORAGE_PATH=str(full), LIMIT_FILE_MIB="32")["space"]["verdict"] == "ok"
    finally:
        subprocess.run(["umount", full], check=True)


def test_a_broken_package_is_a_warning_until_it_is_fixed(database: str, tmp_path: Path) -> None:
    def look() -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "doctor", "parsers", "--json"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        [checked] = json.loads(done.stdout)["checks"]
        return checked

    make_package(tmp_path, "doctored-office", "\nTextList()\n")
    checked = look()
    assert "package doctored-office, parsers of LI: doctored_office, line 2: NameError" in says(checked)
    make_package(tmp_path, "doctored-office", good("li-doctored"))
    checked = look()
    assert (checked["verdict"], "and 1 of other packages" in checked["findings"][0]["says"]) == ("ok", True)


def test_a_paused_pool_with_jobs_is_a_warning(run: Run, database: str, tmp_path: Path) -> None:
    path = tmp_path / "yob2023.txt"
    path.write_text("Emma,F,15433\n")
    run("submit", path, "--country", "US")
    sql(database, "update affirm.pools set paused = true")
    assert "pool default is paused: 1 queued wait" in run("doctor", "queue").stdout
    [fix] = fixes(found(run, "queue")["queue"])
    assert bare(fix["line"]) == "affirm-worker pools resume default"
    run(*bare(fix["line"]).split()[1:])
    assert found(run, "queue")["queue"]["verdict"] == "ok"


def test_wrong_keys_of_s3_are_wrong_until_they_are_right(run: Run, s3: VersityGateway) -> None:
    right: dict[str, Any] = s3.credentials() | s3.storage_env(s3.make_bucket("doctor"), "files")
    checked = found(run, "storage", code=1, **{**right, "AWS_SECRET_ACCESS_KEY": "hunter2-hunter2"})["storage"]
    assert "was answered with SignatureDoesNotMatch" in says(checked)
    assert fixes(checked)[0]["line"].startswith("export AWS_ACCESS_KEY_ID=")
    assert "hunter2" not in json.dumps(checked)
    assert found(run, "storage", code=0, **right)["storage"]["verdict"] == "ok"
    assert [one for one in (s3.folder / "buckets" / "doctor").rglob("*") if one.is_file()] == []


def test_a_bucket_that_is_missing_is_wrong_until_it_is_made(run: Run, s3: VersityGateway) -> None:
    settings: dict[str, Any] = s3.credentials() | s3.storage_env("doctor-more", "files")
    checked = found(run, "storage", code=1, **settings)["storage"]
    assert "NoSuchBucket" in says(checked)
    assert fixes(checked)[0]["line"] == f"aws s3 mb s3://doctor-more --endpoint-url {s3.endpoint()}"
    s3.make_bucket("doctor-more")
    assert found(run, "storage", code=0, **settings)["storage"]["verdict"] == "ok"


def test_what_an_earlier_check_has_left_in_s3_is_removed(run: Run, s3: VersityGateway) -> None:
    settings: dict[str, Any] = s3.credentials() | s3.storage_env(s3.make_bucket("doctor-left"), "files")
    left = s3.folder / "buckets" / "doctor-left" / "files" / FOLDER / "1000-left"
    left.parent.mkdir(parents=True)
    left.write_text("x")
    assert found(run, "storage", code=0, **settings)["storage"]["verdict"] == "ok"
    assert not left.exists()


@pytest.mark.needs("pgbouncer")
def test_a_pooler_without_a_direct_url_is_a_warning(run: Run, postgres: PostgresServer, database: str) -> None:
    with PgBouncer(program("pgbouncer"), postgres) as bouncer:
        pooled = bouncer.url(database)
        checked = found(run, "database", DATABASE_URL=pooled)["database"]
        assert "a pooler stands between" in says(checked)
        assert fixes(checked)[0]["line"].startswith("export DATABASE_DIRECT_URL=")
        again = found(run, "database", DATABASE_URL=pooled, DATABASE_DIRECT_URL=database)
        assert again["database"]["verdict"] == "ok"


def test_a_clock_that_is_wrong_is_a_warning(database: str) -> None:
    with ClientConnection(database) as connection:
        for hours, said in ((1, "behind"), (-1, "ahead of")):
            there = datetime.now(UTC) + timedelta(hours=hours)
            clock = check_server(connection, Expected("affirm"), "there", there)[1]
            assert f"the database's clock is 3600 s {said} this machine's" in clock.says
        assert len(check_server(connection, Expected("affirm"), "there")) == 1


def test_a_direct_url_to_another_database_is_wrong(run: Run, empty_database: str) -> None:
    checked = found(run, "database", code=1, DATABASE_DIRECT_URL=empty_database)["database"]
    assert "DATABASE_DIRECT_URL leads to another database" in says(checked)


@pytest.mark.every_postgres
def test_a_description_that_this_version_does_not_take_is_a_warning(run: Run, database: str, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("n,c\nAda,5\n")
    columns = ["--measure", "births", "--columns", "name=n"]
    run("submit", path, "-c", "LI", "--year", "2020", "--sex", "F", *columns[:-1], "name=n count=c")
    assert found(run, "descriptions")["descriptions"]["verdict"] == "ok"
    sql(database, """update affirm.datasets set description = '{"columns": {"nam": "n"}}'""")
    checked = found(run, "descriptions")["descriptions"]
    assert (checked["verdict"], "this version does not take its description" in says(checked)) == ("warning", True)


def test_the_checks_have_the_names_that_are_completed() -> None:
    with ExitStack() as opened:
        assert tuple(check.name for check in Patient(False, opened).checks()) == NAMES


def test_a_cluster_that_is_asked_for_and_not_configured_is_wrong(run: Run) -> None:
    checked = found(run, "cluster", code=1, KUBECONFIG="/nonexistent")["cluster"]
    assert "cannot load a Kubernetes configuration" in says(checked)
    assert fixes(checked)[0]["line"] == "export KUBECONFIG=…"


def test_a_standby_is_wrong(run: Run) -> None:
    with PostgresServer(settings={"wal_level": "replica", "max_wal_senders": "4"}) as primary:
        url = primary.create_database("doctor_primary")
        with Standby(primary, primary.port) as standby:
            checked = found(run, "database", code=1, DATABASE_URL=standby.url("doctor_primary"))["database"]
            assert "it is a standby, which cannot be written" in says(checked)
            assert found(run, "database", DATABASE_URL=url)["database"]["verdict"] == "ok"


def test_the_embedded_database_is_started_and_never_migrated(tmp_path: Path) -> None:
    run = runner({"AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)
    checked = found(run)
    assert "(embedded)" in checked["database"]["findings"][0]["says"]
    assert says(checked["schema"]) == "there are no tables yet: the next command that needs them makes them"
    run("migrate")
    assert found(run, "schema")["schema"]["verdict"] == "ok"
