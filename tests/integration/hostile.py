"""What somebody tries who has taken over a runner: its login, and the secret of its own run."""

from dataclasses import dataclass

import psycopg

DENIED = psycopg.errors.InsufficientPrivilege

TABLES = (
    "names", "jobs", "datasets", "runs", "coverage", "pools", "schedules", "schedule_files", "schedule_versions",
    "installation", "countries", "controllers", "schema_migrations", "counted_names",
)  # fmt: skip

REFUSED: dict[str, dict[str, str]] = {
    "A: reads": {
        **{f"A {table}": f"select from {table}" for table in TABLES},
        "A by copy": "copy names to stdout",
        "A returning": "insert into names values (%(other_key)s, 2020, 'F', 'A', 'a', 1) returning count",
        "A key": "select key from installation",
        "A keyed": "select keyed('run ' || %(other_job)s || ' 1')",
        "A run_secret": "select run_secret(%(other_job)s, 1)",
        "A jobs_channel": "select jobs_channel()",
        "A why_not_held": "select why_not_held(%(other_job)s, 1)",
    },
    "B: rows": {
        "B1": "delete from names",
        "B2": "insert into names values (%(other_key)s, 2024, 'F', 'Hostile', 'hostile', 1)",
        "B2 its own, outside of a load": "insert into names values (%(own_key)s, 2024, 'F', 'H', 'h', 1)",
        "B2 in its own load": "%(load)s; insert into names values (%(other_key)s, 2024, 'F', 'H', 'h', 1)",
        "B2 some of many": (
            "%(load)s; insert into names values (%(own_key)s, 2024, 'F', 'H', 'h', 1),"
            " (%(other_key)s, 2024, 'F', 'H', 'h', 1)"
        ),
        "B2 with a mark of its own": (
            "select set_config('affirm.loading', %(other_key)s || ' ' || repeat('0', 64), true);"
            " insert into names values (%(other_key)s, 2024, 'F', 'Hostile', 'hostile', 1)"
        ),
        "B2 with the mark of its load": (
            "%(load)s; select set_config('affirm.loading', replace(current_setting('affirm.loading'),"
            " %(own_key)s || ' ', %(other_key)s || ' '), true);"
            " insert into names values (%(other_key)s, 2024, 'F', 'H', 'h', 1)"
        ),
        "B2 with the mark of an earlier load": (
            "select set_config('affirm.loading', %(old_mark)s, true);"
            " insert into names values (%(own_key)s, 2024, 'F', 'H', 'h', 1)"
        ),
        "B2 loading_mark": "select loading_mark(%(other_key)s::text)",
        "B2 without triggers": "set local session_replication_role = replica",
        "B2 trigger": "alter table names disable trigger all",
        "B3": "delete from coverage",
        "B4": "truncate names",
        "B4 update": "update names set count = 1",
        "B4 on conflict": (
            "insert into names values (%(other_key)s, 2023, 'F', 'Emma', 'emma', 1)"
            " on conflict (dataset_key, year, name, gender) do update set count = 1"
        ),
        "B5": "update datasets set status = 'failed', loaded_at = null",
        "B uncover": "select uncover(%(other_key)s)",
        "B cover": "select cover(%(other_dataset)s, '[]')",
    },
    "C: other runs": {
        "C1": "update jobs set state = 'completed', finished_at = now()",
        "C1 runs": "update runs set committed_at = now()",
        "C2": "update jobs set state = 'cancelled', finished_at = now()",
        "C3": "update runs set runner_uid = 'evil', started_at = now(), lease_until = 'infinity'",
        "C4": "update runs set outcome = '{}'",
        "C insert": "insert into jobs (dataset_id, type) values (%(other_dataset)s, 'reprocess_dataset')",
        "C take": "select runner_take(%(other_job)s, 1, %(secret)s, 'evil', null, null, '1 minute')",
        "C next epoch": "select runner_take(%(own_job)s, 2, %(secret)s, 'evil', null, null, '1 minute')",
        "C no secret": "select runner_take(%(other_job)s, 1, null, 'evil', null, null, '1 minute')",
        "C heartbeat": "select runner_heartbeat(%(other_job)s, 1, %(secret)s, 'other', '1 minute', 1, 1, null)",
        "C outcome": "select runner_record_outcome(%(other_job)s, 1, %(secret)s, 'other', '{}', null)",
        "C begin": "select runner_begin_load(%(other_job)s, 1, %(secret)s, 'other', '60s')",
        "C commit": "select runner_commit_load(%(other_job)s, 1, %(secret)s, 'other', '{}', 1, null)",
        "C committed": "select runner_has_committed(%(other_job)s, 1, %(secret)s)",
        "C sexes": "select runner_sexes_of(%(other_job)s, 1, %(secret)s, 'other', 2020, '{Emma}')",
        "C end loads": "select runner_end_earlier_loads(%(other_job)s, 1, %(secret)s, 'other')",
        "C unproven end loads": "select end_earlier_loads(%(other_job)s, 2)",
    },
    "D: the server": {
        "D2 pg_authid": "select from pg_authid",
        "D2 pg_shadow": "select from pg_shadow",
        "D2 pg_read_file": "select pg_read_file('PG_VERSION')",
        "D2 program": "copy names from program 'true'",
        "D2 file": "copy names from '/etc/passwd'",
        "D2 lo_import": "select lo_import('/etc/passwd')",
        "D3": "select terminate_runners(%(other_job)s, 2147483647)",
        "D4": "select pg_terminate_backend(%(controller_pid)s)",
    },
    "E: objects and locks": {
        "E1 table": "create table affirm.more (id int)",
        "E1 schema": "create schema more",
        "E1 function": "create function affirm.f() returns int language sql as 'select 1'",
        "E1 trigger": "create trigger t after insert on names execute function notify_jobs()",
        "E1 foreign data": "create foreign data wrapper w",
        "E1 policy": "create policy p on names",
        "E1 extension": "drop extension plpgsql",
        "E1 language": "create language mine handler plpgsql_call_handler",
        "E1 rule": "create rule r as on insert to names do nothing",
        "E1 temporary table": "create temporary table names (dataset_key int)",
        "E1 temporary view": "create temporary view jobs as select 1 as id",
        "E1 temporary function": "create function pg_temp.f() returns int language sql as 'select 1'",
        "E1 replace": "create or replace function load_lock(uuid, int) returns bigint language sql as 'select 1'",
        "E2 superuser": "set local role postgres",
        "E2 owner": "set local role affirm_controller",
        "E2 grant": "grant affirm_controller to current_user",
        "E2 right": "grant select on names to public",
        "E4 schema_migrations": "lock table schema_migrations in share row exclusive mode",
        "E5": "select from jobs for update",
        "E5 functions": "select prove(%(other_job)s, 1, '')",
        "E5 load_lock": "select pg_advisory_lock(load_lock(%(other_job)s, 1))",
        "E5 run_lock": "select pg_advisory_lock(run_lock(%(other_job)s, 1))",
        "E6": "lock table names in access exclusive mode",
        "E6 row exclusive": "lock table names in row exclusive mode",
        "E6 coverage": "lock table coverage in access share mode",
        "E8 wake": "select wake_controllers()",
        "E9": "select nextval('datasets_key_seq')",
    },
}
"""By the rows of a threat model: what is tried; refused for lack of a right, or of the secret."""


LOCKS_FIRST = ("E1 trigger", "E1 rule")
"""Of these Postgres looks at rights after it has the table's lock: with another load open, they wait for that."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What Postgres gives no right to refuse.

    Args:
        sql: what is tried.
        bound: what docs/operations.md says of it.
    """

    sql: str
    bound: str


LEFT_OVER = {
    "D1 the statements of other runners": Allowed(
        "select query from pg_stat_activity", "see each other's statements, but never a secret"
    ),
    "D4 the sessions of other runners": Allowed(
        "select pg_terminate_backend(%(runner_pid)s)", "end each other's sessions"
    ),
    "E1 large objects": Allowed("select lo_create(0)", "make large objects"),
    "E3 its own role": Allowed(
        "alter role current_user set statement_timeout = '1s'",
        "change the password and settings of their own role",
    ),
    "E4 advisory locks": Allowed("select pg_advisory_xact_lock(x'61666669726D'::bigint)", "take advisory locks"),
    "E5 open transactions": Allowed(
        "insert into names select 1, 2020, 'F', 'Ann', 'ann', 1 where false", "keep a transaction open"
    ),
    "E7 connections": Allowed("select 1", "use all connections that their login may have"),
    "E8 notifications": Allowed("select pg_notify('affirm_jobs', '')", "send notifications"),
}
"""What is left over, and the words by which docs/operations.md says what bounds it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard that is taken out of a function of the schema.

    Args:
        function: its name.
        before, after: of its text.
        attempt: what gets through then, a key of REFUSED's parts.
    """

    function: str
    before: str
    after: str
    attempt: str


MUTANTS = {
    "no secret is asked for": Mutant("prove", "if sha256(", "if false and sha256(", "C committed"),
    "a secret is of any job": Mutant("run_secret", "'run ' || of_job || ' ' || of_epoch", "'run'", "C committed"),
    "a secret is of any epoch": Mutant("run_secret", "|| ' ' || of_epoch", "", "C next epoch"),
    "none is as good as the secret": Mutant(
        "prove",
        "is distinct from sha256(convert_to(run_secret(of_job, of_epoch), 'UTF8'))\n        or secret is null",
        "<> sha256(convert_to(run_secret(of_job, of_epoch), 'UTF8'))",
        "C no secret",
    ),
    "rows of any dataset are let in": Mutant(
        "only_rows_of_the_load", "is distinct from loading", "is null", "B2 in its own load"
    ),
    "one row of the dataset is enough": Mutant(
        "only_rows_of_the_load",
        "if exists (select from added where added.dataset_key is distinct from loading)",
        "if not exists (select from added where added.dataset_key = loading)",
        "B2 some of many",
    ),
    "a mark is of no dataset": Mutant(
        "loading_mark", "'loading ' || dataset || ' '", "'loading '", "B2 with the mark of its load"
    ),
    "a mark is of no transaction": Mutant(
        "loading_mark", "|| ' ' || pg_current_xact_id()", "", "B2 with the mark of an earlier load"
    ),
    "any mark counts": Mutant(
        "loading_dataset", "said = loading_mark(dataset)", "said <> ''", "B2 with a mark of its own"
    ),
}
"""What was taken out, in words, and how."""
