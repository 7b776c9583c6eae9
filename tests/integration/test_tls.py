"""TLS to a real Postgres: a CA is asked whenever there is one, and a wrong server gets no password."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cluster.pki import Authority
from tests.integration.command_line import Run, answer, runner
from tests.servers.postgres import PostgresServer

# Debian's: the embedded ones are built without TLS.
pytestmark = pytest.mark.needs("postgres-15")
HOST = "db.example"
"""The server's name. No resolver knows it; `hostaddr` says where it is."""


@dataclass(frozen=True, slots=True)
class Servers:
    """One as it should be, one whose certificate has expired, one without TLS; and their authority."""

    good: PostgresServer
    expired: PostgresServer
    plain: PostgresServer
    ca: Path


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    ca = Authority(tmp_path_factory.mktemp("pki"))
    good = ca.issue("good", HOST, hosts=[HOST])
    late = ca.issue("late", HOST, hosts=[HOST], valid=timedelta(minutes=-1))
    with (
        PostgresServer(15, tls=(good.cert, good.key)) as one,
        PostgresServer(15, tls=(late.cert, late.key)) as two,
        PostgresServer(15) as three,
    ):
        yield Servers(one, two, three, ca.cert)


def url(server: PostgresServer, host: str = HOST, options: str = "") -> str:
    return f"{server.url(host=host)}?hostaddr=127.0.0.1{options}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner({"AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def test_with_the_right_ca_all_goes_well(servers: Servers, run: Run) -> None:
    good = {"DATABASE_URL": url(servers.good), "PGSSLROOTCERT": str(servers.ca)}
    run("migrate", **good)
    shown = run("psql", "-At", "-c", "select ssl from pg_stat_ssl where pid = pg_backend_pid()", **good)
    assert shown.stdout == "t\n"
    assert answer(run("jobs", "list", "--json", **good)) == []


@pytest.mark.parametrize("command", [["jobs", "list"], ["migrate"], ["psql", "-c", "select 1"]])
def test_a_server_of_another_ca_is_refused(servers: Servers, run: Run, tmp_path: Path, command: list[str]) -> None:
    other = Authority(tmp_path / "other").cert
    failed = run(*command, code=78, DATABASE_URL=url(servers.good), PGSSLROOTCERT=str(other))
    assert "certificate verify failed" in failed.stderr
    assert "sslrootcert" in failed.stderr


def test_an_expired_certificate_is_refused(servers: Servers, run: Run) -> None:
    late = {"DATABASE_URL": url(servers.expired), "PGSSLROOTCERT": str(servers.ca)}
    failed = run("jobs", "list", code=78, **late)
    assert "expired" in failed.stderr


def test_a_certificate_for_another_name_is_refused(servers: Servers, run: Run) -> None:
    wrong = {"DATABASE_URL": url(servers.good, "other.example"), "PGSSLROOTCERT": str(servers.ca)}
    failed = run("jobs", "list", code=78, **wrong)
    assert f'"{HOST}"' in failed.stderr and '"other.example"' in failed.stderr


def test_a_server_without_tls_gets_no_password(servers: Servers, run: Run) -> None:
    plain = {"DATABASE_URL": url(servers.plain), "PGSSLROOTCERT": str(servers.ca)}
    failed = run("jobs", "list", code=78, **plain)
    assert "server does not support SSL" in failed.stderr


def test_a_missing_file_is_named(servers: Servers, run: Run) -> None:
    failed = run("jobs", "list", code=78, DATABASE_URL=url(servers.good), PGSSLROOTCERT="/nonexistent/ca")
    assert "/nonexistent/ca" in failed.stderr


def test_who_says_sslmode_gets_that(servers: Servers, run: Run) -> None:
    said = {"DATABASE_URL": url(servers.plain, options="&sslmode=disable"), "PGSSLROOTCERT": str(servers.ca)}
    run("migrate", **said)
    assert answer(run("jobs", "list", "--json", **said)) == []


def test_without_a_ca_run_and_doctor_warn_and_nobody_else(servers: Servers, run: Run) -> None:
    bare = {"DATABASE_URL": url(servers.plain)}
    assert "who it is" not in run("migrate", **bare).stderr
    assert "who it is" not in run("jobs", "list", **bare).stderr
    assert run("run", "--until-idle", LOG_FORMAT="console", **bare).stderr.count("who it is") == 1
    doctor = run("doctor", "--json", **bare)
    assert doctor.stdout.count("who it is") == 1
    here = {"DATABASE_URL": servers.plain.url()}
    assert "who it is" not in run("run", "--until-idle", LOG_FORMAT="console", **here).stderr
