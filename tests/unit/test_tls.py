"""When the database has to prove who it is."""

import pytest

from dataset_jobs.postgres import tls

CA = {"PGSSLROOTCERT": "/etc/ca.crt"}


@pytest.mark.parametrize(
    "conninfo",
    [
        "postgresql://a@db.example/names",
        "postgresql://a@10.0.0.7:5433/names",
        "postgresql://a@db.example/names?hostaddr=127.0.0.1",
        "postgresql://a@localhost,db.example/names",
        "host=db.example dbname=names",
    ],
)
def test_a_server_elsewhere_must_prove_itself_to_a_ca(conninfo: str) -> None:
    assert tls.default_mode(conninfo, CA) == "verify-full"
    assert tls.default_mode(conninfo, {}) is None
    assert tls.doubt(conninfo, CA) is None
    assert "PGSSLROOTCERT" in (tls.doubt(conninfo, {}) or "")


def test_the_url_may_name_the_ca_itself() -> None:
    assert tls.default_mode("postgresql://a@db.example/names?sslrootcert=/ca", {}) == "verify-full"
    assert tls.default_mode("postgresql://a@db.example/names?sslrootcert=system", {}) == "verify-full"


@pytest.mark.parametrize(
    ("conninfo", "environment"),
    [
        ("postgresql://a@db.example/names?sslmode=require", {}),
        ("postgresql://a@db.example/names", {"PGSSLMODE": "disable"}),
        ("service=names", {}),
        ("dbname=names", {"PGSERVICE": "names"}),
        ("postgresql:///names", {}),
        ("postgresql:///names?host=/run/postgresql", {}),
        ("postgresql://a@localhost/names", {}),
        ("postgresql://a@127.0.0.2/names", {}),
        ("postgresql://a@[::1]/names", {}),
        ("postgresql://a@127.0.0.1,localhost/names", {}),
        ("dbname=names", {"PGHOST": "/run/postgresql"}),
    ],
)
def test_what_is_said_or_stays_on_this_machine_is_left_alone(conninfo: str, environment: dict[str, str]) -> None:
    assert tls.default_mode(conninfo, environment | CA) is None
    assert tls.doubt(conninfo, environment) is None


def test_a_host_of_the_environment_counts() -> None:
    assert tls.default_mode("dbname=names", {"PGHOST": "db.example", **CA}) == "verify-full"
    assert tls.doubt("dbname=names", {"PGHOSTADDR": "10.0.0.7"})
