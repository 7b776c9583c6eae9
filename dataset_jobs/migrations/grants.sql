-- Three group roles, each with no more than it needs; granted anew after every migration.
-- Skipped, with a notice, where the migrating role may not create roles: one role for everything then.
-- terminate_runners runs as its owner: unless that is a superuser, grant it pg_signal_backend.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['affirm_owner', 'affirm_controller', 'affirm_runner'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception
                -- Roles are the cluster's: a migration of another of its databases was faster.
                when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;

    execute format('grant usage on schema %I to affirm_controller, affirm_runner', current_schema());
    revoke execute on function terminate_runners(uuid, int) from public;
    grant execute on function terminate_runners(uuid, int) to affirm_controller, affirm_runner;

    execute format('grant select on all tables in schema %I to affirm_controller', current_schema());
    grant insert, update, delete on datasets, jobs, runs, pools, schedules, schedule_files, schedule_versions, controllers
        to affirm_controller;
    grant insert, delete on names to affirm_controller;
    grant update (superseded_by), delete on coverage to affirm_controller;

    grant select on countries, datasets, jobs, runs, schema_migrations to affirm_runner;
    grant update (
        status, loaded_at, row_count, total_count, parser, region, measure, top, error, warning, report, updated_at
    ) on datasets to affirm_runner;
    grant update (state, finished_at, last_cause, last_error) on jobs to affirm_runner;
    grant update (started_at, runner_uid, pod_name, node, lease_until, bytes_done, rows_done, committed_at, outcome, log)
        on runs to affirm_runner;
    grant select, insert, delete on names to affirm_runner;
    grant select, insert, update, delete on coverage to affirm_runner;
exception
    when insufficient_privilege then
        raise notice 'group roles not set up: %', sqlerrm;
end $$;
