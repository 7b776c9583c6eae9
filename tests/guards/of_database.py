"""Guards of the database."""

import re
from collections.abc import Iterator

from tests.guards.mutants import Mutant, one
from tests.kit.changes import ROOT, Change

_MIGRATIONS = "dataset_jobs/migrations"
_KEYED, _RUNS, _LOADS = (
    f"{_MIGRATIONS}/{name}.sql"
    for name in ("0018_runs_prove_themselves", "0020_functions_of_runs", "0021_functions_of_loads")
)
_GRANTS = f"{_MIGRATIONS}/grants.sql"
_SESSION = "dataset_jobs/postgres/session.py"
_LISTEN = "dataset_jobs/store/notifications.py"

_HOSTILE = "tests/integration/test_hostile_runner.py"
_RUNS_TESTS = "tests/integration/test_guards_of_runs.py"
_REFUSED = f"{_HOSTILE}::test_what_is_not_a_runners_is_refused"
_NOWHERE_ELSE = f"{_HOSTILE}::test_functions_of_the_owner_look_nowhere_else"
_TAKES_AWAY = "tests/integration/test_migrate.py::test_a_migration_takes_from_runners_what_others_granted"
_PAST_A_TEMPORARY = f"{_HOSTILE}::test_rows_reach_our_table_past_a_temporary_one"
_NO_SECRET_SEEN = f"{_HOSTILE}::test_no_secret_is_seen_by_another_session"
_FLOOD = f"{_RUNS_TESTS}::test_a_flood_of_notifications_wakes_now_and_then"
_SECOND = "tests/integration/test_faults.py::test_a_second_runner_of_the_same_epoch_commits_nothing"
_PROVEN = "    perform prove(of_job, of_epoch, secret);\n"


def _unproven() -> Iterator[tuple[str, Mutant]]:
    """Each function of runners without its question for the secret."""
    for path in (_RUNS, _LOADS):
        for begins, name in re.findall(
            rf"(create function (runner_\w+)\((?:(?!create function).)*?{re.escape(_PROVEN)})",
            (ROOT / path).read_text(encoding="utf-8"),
            re.DOTALL,
        ):
            yield f"{name} asks for no secret", one(path, begins, begins.removesuffix(_PROVEN), _REFUSED)


def _without_path() -> Iterator[tuple[str, Mutant]]:
    """Each function without a search_path of its own."""
    for path in (_KEYED, _RUNS, _LOADS):
        for begins, name, arguments in re.findall(
            r"(create (?:or replace )?function (\w+)\(([^)]*)\)(?:(?!create (?:or replace )?function).)*?"
            r" set search_path from current)",
            (ROOT / path).read_text(encoding="utf-8"),
            re.DOTALL,
        ):
            which = f"{name}({arguments.split(' ')[-1]})" if name == "bounded" else name
            after = begins.removesuffix(" set search_path from current")
            yield f"{which} looks where its caller says", one(path, begins, after, _NOWHERE_ELSE)


MUTANTS: dict[str, Mutant] = {
    **dict(_unproven()),
    **dict(_without_path()),
    "two runners of one epoch may both take the run": one(
        _RUNS, " and (runs.runner_uid is null or runs.runner_uid = uid)", "", _SECOND
    ),
    "rights on tables that somebody granted stay": one(
        _GRANTS,
        "    execute format('revoke all on all tables in schema %I from affirm_runner",
        "    -- execute format('revoke all on all tables in schema %I from affirm_runner",
        _TAKES_AWAY,
    ),
    "rights on functions that somebody granted stay": one(
        _GRANTS,
        "    execute format('revoke all on all functions in schema %I from affirm_runner",
        "    -- execute format('revoke all on all functions in schema %I from affirm_runner",
        _TAKES_AWAY,
    ),
    "runners may read names": one(
        _GRANTS, "grant insert (dataset_key,", "grant select, insert (dataset_key,", _REFUSED
    ),
    "runners may delete names": one(
        _GRANTS,
        "    grant insert (dataset_key,",
        "    grant delete on names to affirm_runner;\n    grant insert (dataset_key,",
        _REFUSED,
    ),
    "runners may update jobs": one(
        _GRANTS,
        "    grant insert (dataset_key,",
        "    grant select, update on jobs to affirm_runner;\n    grant insert (dataset_key,",
        _REFUSED,
    ),
    "runners may end loads": one(
        _GRANTS,
        "        runner_take(uuid, int, text,",
        "        terminate_runners(uuid, int), runner_take(uuid, int, text,",
        _REFUSED,
    ),
    "functions are everybody's": one(
        _LOADS,
        "        execute format('revoke execute on function %s from public', function);\n",
        "        null;\n",
        _NOWHERE_ELSE,
    ),
    "temporary tables are everybody's": one(
        _LOADS,
        "        execute format('revoke temporary on database %I from public', current_database());\n",
        "        null;\n",
        _REFUSED,
    ),
    "rows of names pass no trigger": one(
        _LOADS,
        "create trigger names_only_rows_of_the_load after insert on names referencing new table as added\n"
        "    for each statement execute function only_rows_of_the_load();\n",
        "",
        _REFUSED,
    ),
    "the trigger takes everybody for the owner": one(
        _LOADS,
        "    if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'member') then\n",
        "    if true then\n",
        _REFUSED,
    ),
    "a load is let in after its end": one(
        _LOADS,
        "    perform set_config('affirm.loading', '', true);\n",
        "",
        f"{_RUNS_TESTS}::test_a_load_is_over_with_its_commit",
    ),
    "a MAC is a plain hash": one(
        _KEYED,
        "sha256(key || sha256(key || convert_to(message, 'UTF8')))",
        "sha256(key || convert_to(message, 'UTF8'))",
        f"{_RUNS_TESTS}::test_secrets_and_locks_are_nested_hashes",
    ),
    "the key is the same everywhere": one(
        _KEYED,
        "default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))",
        "default sha256('key')",
        f"{_RUNS_TESTS}::test_no_two_installations_have_the_same_key",
    ),
    "locks of a run can be told beforehand": one(
        _KEYED,
        "substr(keyed(message), 1, 8)",
        "substr(sha256(convert_to(message, 'UTF8')), 1, 8)",
        f"{_RUNS_TESTS}::test_secrets_and_locks_are_nested_hashes",
    ),
    "a transaction of a run has no lock": one(
        _KEYED,
        "    perform pg_advisory_xact_lock_shared(run_lock(of_job, of_epoch));\n",
        "",
        f"{_HOSTILE}::test_a_transaction_that_stays_open_is_ended_with_its_run",
    ),
    "whoever holds a lock of that number is ended": one(
        _KEYED,
        "at.relation = 'runs'::regclass",
        "true",
        f"{_RUNS_TESTS}::test_locks_of_others_end_no_session",
    ),
    "a lease may be endless": one(
        _RUNS, "return least(lease, interval '10 minutes');", "return lease;", f"{_HOSTILE}::test_a_lease_has_an_end"
    ),
    "a run may say any amount of itself": one(
        _RUNS,
        "    if octet_length(document::text) > 1024 * 1024 then",
        "    if false then",
        f"{_HOSTILE}::test_a_run_says_only_so_much_of_itself",
    ),
    "a run that is over still asks of other datasets": one(
        _RUNS,
        "    if not is_held(of_job, of_epoch, uid) then\n        return;\n",
        "    if false then\n        return;\n",
        f"{_HOSTILE}::test_a_secret_ends_with_the_lease",
    ),
    "a run that is over still ends earlier loads": one(
        _RUNS,
        "case when is_held(of_job, of_epoch, uid) then",
        "case when true then",
        f"{_RUNS_TESTS}::test_a_run_that_is_over_ends_no_load",
    ),
    "any number of names is asked for": one(
        _RUNS, "any (of_names[1:200])", "any (of_names)", f"{_RUNS_TESTS}::test_a_run_asks_for_so_many_names"
    ),
    "the channel is known": one(
        _KEYED,
        "'affirm_jobs_' || left(encode(keyed('channel'), 'hex'), 32)",
        "'affirm_jobs'::text",
        f"{_HOSTILE}::test_a_notification_wakes_no_controller",
    ),
    "each notification wakes": one(_LISTEN, "            spaced()\n", "            notified()\n", _FLOOD),
    "there is no time between wake-ups": one(
        _LISTEN, "SPACING_SECONDS = 0.05", "SPACING_SECONDS = 0.0", "tests/unit/test_notifications.py"
    ),
    "the last wake-up of many is lost": one(
        _LISTEN, "            self._again = True\n", "            pass\n", "tests/unit/test_notifications.py"
    ),
    "migrations wait for an advisory lock": Mutant(
        (
            Change(
                f"{_MIGRATIONS}/__init__.py",
                '"lock table schema_migrations in share row exclusive mode"',
                "\"select pg_advisory_xact_lock(x'61666669726D'::bigint)\"",
            ),
            Change(f"{_MIGRATIONS}/__init__.py", "PATIENCE_SECONDS = 120.0", "PATIENCE_SECONDS = 1.0"),
        ),
        f"{_HOSTILE}::test_advisory_locks_keep_no_migration_waiting",
    ),
    "temporary tables come before ours": one(_SESSION, "'\"{schema}\", pg_temp'", "'\"{schema}\"'", _PAST_A_TEMPORARY),
    "no search_path behind a pooler": one(
        "dataset_jobs/postgres/connecting.py",
        '        if not self.pooled:\n            return ""\n        alone',
        '        if True:\n            return ""\n        alone',
        "tests/integration/test_hostile_sessions.py::test_no_setting_matters_behind_a_pooler",
    ),
    "no search_path for a runner behind a pooler": one(
        "dataset_jobs/postgres/connecting.py",
        "        if self.pooled and before:\n",
        "        if False:\n",
        _PAST_A_TEMPORARY,
    ),
    "the secret stands in a statement's text": one(
        "dataset_jobs/store/runner.py",
        "self._connection.call(statement(name), {**self._who, **parameters}, begins, commits)",
        "self._connection.call(psycopg.ClientCursor(self._connection).mogrify("
        "statement(name), {**self._who, **parameters}).encode(), None, begins, commits)",
        _NO_SECRET_SEEN,
    ),
    "a runner shows its secret": one(
        "dataset_jobs/store/runner_values.py",
        'secret: str = field(default="", repr=False)',
        'secret: str = ""',
        f"{_HOSTILE}::test_an_error_says_no_secret",
    ),
}
"""What was taken out, in words, and how."""
