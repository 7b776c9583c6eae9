-- Four group roles, each with no more than it needs; granted anew after every migration.
-- Skipped, with a notice, where the migrating role may not create roles: one role for everything then.
-- terminate_runners runs as its owner: unless that is a superuser, grant it pg_signal_backend.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['affirm_owner', 'affirm_controller', 'affirm_runner', 'affirm_api'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception
                -- Roles are the cluster's: a migration of another of its databases was faster.
                when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;

    execute format('grant usage on schema %I to affirm_controller, affirm_runner, affirm_api', current_schema());

    execute format('grant select on all tables in schema %I to affirm_controller', current_schema());
    grant insert, update, delete on datasets, jobs, runs, pools, schedules, schedule_files, schedule_versions, controllers
        to affirm_controller;
    grant insert, delete on names to affirm_controller;
    grant insert on audit to affirm_controller;
    grant insert, update on api_keys, operations to affirm_controller;
    grant insert, delete on web_sessions to affirm_controller;
    grant insert, delete on pool_minutes to affirm_controller;
    grant update (superseded_by), delete on coverage to affirm_controller;
    grant execute on function run_secret(uuid, int), terminate_runners(uuid, int), end_waiting_runners(),
        uncover(int), jobs_channel(), wake_controllers() to affirm_controller;

    -- An HTTP API looks, and does what clients do: jobs and rows it changes by functions alone, so it can neither claim nor
    -- settle, nor write a name.
    execute format('revoke all on all tables in schema %I from affirm_api', current_schema());
    execute format('revoke all on all functions in schema %I from affirm_api', current_schema());
    grant select on countries, datasets, jobs, runs, pools, schedules, schedule_files, schedule_versions, controllers,
        names, coverage, counted_names, schema_migrations, api_keys, audit, operations, pool_minutes,
        web_sessions to affirm_api;
    grant select (oldest_schema, oldest_program) on installation to affirm_api;
    grant insert (id, country_id, filename, storage_uri, sha256, size, year_hint, sex_hint, format_hint, region_hint,
            description, supersedes, batch),
        update (filename, storage_uri, year_hint, sex_hint, format_hint, region_hint, description, supersedes, batch,
            updated_at)
        on datasets to affirm_api;
    grant insert (dataset_id, type, pool, priority, state, run_at), update (priority) on jobs to affirm_api;
    grant update (paused, paused_since, paused_reason, probe_at, max_running, max_pending) on pools to affirm_api;
    grant insert (code, name), update (name), delete on countries to affirm_api;
    grant insert, update, delete on schedules, schedule_files, schedule_versions to affirm_api;
    grant insert on audit to affirm_api;
    grant insert, update on api_keys, operations to affirm_api;
    grant insert, delete on web_sessions to affirm_api;
    grant execute on function cancel_waiting_job(uuid), cancel_running_job(uuid), retry_job(uuid, int),
        set_waiting_job(uuid, int, timestamptz, text), purge_jobs(text, interval, text[], int), revive_dataset(uuid),
        delete_dataset(uuid), wake_controllers() to affirm_api, affirm_controller;

    -- Runners insert rows into `names`, and do all else by functions. Earlier versions granted more.
    execute format('revoke all on all tables in schema %I from affirm_runner', current_schema());
    execute format('revoke all on all functions in schema %I from affirm_runner', current_schema());
    grant insert (dataset_key, year, name, gender, folded_name, count) on names to affirm_runner;
    grant execute on function
        runner_take(uuid, int, text, text, text, text, interval), runner_end_earlier_loads(uuid, int, text, text),
        runner_heartbeat(uuid, int, text, text, interval, bigint, bigint, jsonb),
        runner_record_outcome(uuid, int, text, text, jsonb, jsonb), runner_has_committed(uuid, int, text),
        runner_sexes_of(uuid, int, text, text, int, text[]), runner_begin_load(uuid, int, text, text, text),
        runner_commit_load(uuid, int, text, text, jsonb, bigint, jsonb), loading_dataset()
        -- The controller's login may be the runners' too.
        to affirm_runner, affirm_controller;
exception
    when insufficient_privilege then
        raise notice 'group roles not set up: %', sqlerrm;
end $$;
