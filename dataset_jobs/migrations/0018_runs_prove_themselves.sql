-- A run proves itself by a secret, and does its work by functions: its role needs no right on any table but one, to insert
-- rows into `names`, and a trigger lets in only those of the dataset that it loads.
--
-- Each function runs as the owner of the tables. Its search_path is the one of this session: pg_catalog comes first by
-- itself, then our schema, and pg_temp last. `runner_…` are for runners; grants.sql says who may call the others.

alter table installation add column key bytea not null
    default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
comment on column installation.key is 'What secrets of runs are made of. Runners cannot read it.';

-- A message authentication code: nobody without the key can make it.
create function keyed(message text) returns bytea
language sql stable strict security definer set search_path from current
as $$ select sha256(key || sha256(key || convert_to(message, 'UTF8'))) from installation $$;

-- What a runner proves with that it works for this run. It is computed again at every launch, and stored nowhere.
create function run_secret(of_job uuid, of_epoch int) returns text
language sql stable strict security definer set search_path from current
as $$ select encode(keyed('run ' || of_job || ' ' || of_epoch), 'hex') $$;

-- 64 bits that only the owner can tell beforehand: nobody else can hold a run's lock to stop it.
create function keyed_lock(message text) returns bigint
language sql stable strict security definer set search_path from current
as $$ select ('x' || encode(substr(keyed(message), 1, 8), 'hex'))::bit(64)::bigint $$;

-- The channel on which controllers listen. Runners do not know it: else they could wake controllers without an end.
create function jobs_channel() returns text
language sql stable security definer set search_path from current
as $$ select 'affirm_jobs_' || left(encode(keyed('channel'), 'hex'), 32) $$;

create function wake_controllers() returns void
language sql security definer set search_path from current
as $$ select pg_notify(jobs_channel(), '') $$;

create or replace function notify_jobs() returns trigger
language plpgsql security definer set search_path from current as $$
begin
    perform wake_controllers();
    return null;
end $$;

-- Held by the transaction that loads.
create or replace function load_lock(job_id uuid, epoch int) returns bigint
language sql stable strict security definer set search_path from current
as $$ select keyed_lock('load ' || job_id || ' ' || epoch) $$;

-- Shared by all transactions of a run, so that each of them can be ended.
create function run_lock(of_job uuid, of_epoch int) returns bigint
language sql stable strict security definer set search_path from current
as $$ select keyed_lock('transaction ' || of_job || ' ' || of_epoch) $$;

-- Ends the transactions of a job's runs up to an epoch; returns how many still hold their lock.
-- Called by whoever fences a run, again until it returns 0: a stopped client of COPY FROM STDIN heeds nothing milder.
create or replace function terminate_runners(job_id uuid, last_epoch int) returns bigint
language plpgsql security definer set search_path from current as $$
declare
    locks bigint[] := array(
        select unnest(array[load_lock(runs.job_id, runs.epoch), run_lock(runs.job_id, runs.epoch)])
        from runs where runs.job_id = terminate_runners.job_id and runs.epoch <= last_epoch);
begin
    return (
        select count(pg_terminate_backend(held.pid))
        from (
            select distinct pid from pg_locks
            where locktype = 'advisory' and objsubid = 1 and granted
                and (classid::bigint << 32 | objid::bigint) = any (locks)
                and database = (select oid from pg_database where datname = current_database())
                and pid <> pg_backend_pid()
        ) held
        where exists (
            select from pg_locks at
            where at.pid = held.pid and at.locktype = 'relation' and at.relation = 'runs'::regclass
                and at.database = (select oid from pg_database where datname = current_database())));
end $$;

-- Refuses whoever does not know the run's secret. Hashes are compared: the time that takes tells nothing of the secret.
create function prove(of_job uuid, of_epoch int, secret text) returns void
language plpgsql security definer set search_path from current as $$
begin
    if sha256(convert_to(secret, 'UTF8')) is distinct from sha256(convert_to(run_secret(of_job, of_epoch), 'UTF8'))
        or secret is null
    then
        raise exception using errcode = 'insufficient_privilege', message = 'this is not the secret of the run';
    end if;
    perform pg_advisory_xact_lock_shared(run_lock(of_job, of_epoch));
end $$;

-- Is the job still this run's? Asked without a lock.
create function is_held(of_job uuid, of_epoch int, uid text) returns boolean
language sql stable security definer set search_path from current as $$
    select exists (
        select from jobs join runs on runs.job_id = jobs.id
        where jobs.id = of_job and jobs.state = 'running' and jobs.lease_epoch = of_epoch
            and jobs.cancel_requested_at is null
            and runs.epoch = of_epoch and runs.runner_uid = uid and runs.ended_at is null)
$$;

-- Why a runner could not take its run, or lost it; null if there is no such job.
create function why_not_held(of_job uuid, of_epoch int) returns jsonb
language sql stable security definer set search_path from current as $$
    select jsonb_build_object('state', jobs.state, 'lease_epoch', jobs.lease_epoch, 'runner_uid', runs.runner_uid,
        'ended', runs.ended_at is not null, 'cause', runs.cause,
        'cancel_requested', jobs.cancel_requested_at is not null)
    from jobs left join runs on runs.job_id = jobs.id and runs.epoch = of_epoch
    where jobs.id = of_job
$$;

-- How long a lease may be: no runner gets one that never ends.
create function bounded(lease interval) returns interval
language sql immutable strict set search_path from current
return least(lease, interval '10 minutes');

-- What a run says of itself: no runner fills the disk with it.
create function bounded(document jsonb) returns jsonb
language plpgsql immutable strict set search_path from current as $$
begin
    if octet_length(document::text) > 1024 * 1024 then
        raise exception using errcode = 'program_limit_exceeded', message = 'a run says more than a mebibyte of itself';
    end if;
    return document;
end $$;

-- Ends the loads of this job's earlier epochs, and of ended jobs of the same dataset: this run's load would wait for
-- their locks. Returns how many there still were.
create function end_earlier_loads(of_job uuid, of_epoch int) returns bigint
language sql security definer set search_path from current as $$
    select coalesce(sum(terminate_runners(jobs.id, case when jobs.id = of_job then of_epoch - 1 else 2147483647 end)),
        0)::bigint
    from jobs join jobs this on this.dataset_id = jobs.dataset_id
    where this.id = of_job and (jobs.id = this.id or jobs.state in ('failed', 'cancelled'))
$$;

create function runner_end_earlier_loads(of_job uuid, of_epoch int, secret text, uid text) returns bigint
language plpgsql security definer set search_path from current as $$
begin
    perform prove(of_job, of_epoch, secret);
    return case when is_held(of_job, of_epoch, uid) then end_earlier_loads(of_job, of_epoch) else 0 end;
end $$;

-- Takes the run. Only the first runner can; it may ask again. Returns `assignment` and `still_loading`, or `refused`.
create function runner_take(of_job uuid, of_epoch int, secret text, uid text, pod text, on_node text, lease interval)
returns jsonb
language plpgsql security definer set search_path from current as $$
declare
    assignment jsonb;
begin
    perform prove(of_job, of_epoch, secret);
    update runs set started_at = coalesce(runs.started_at, clock_timestamp()), runner_uid = uid,
        pod_name = pod, node = on_node, lease_until = clock_timestamp() + bounded(lease)
    from jobs, datasets, countries
    where runs.job_id = of_job and runs.epoch = of_epoch
        and runs.ended_at is null and (runs.runner_uid is null or runs.runner_uid = uid)
        and jobs.id = runs.job_id and jobs.state = 'running' and jobs.lease_epoch = runs.epoch
        and jobs.cancel_requested_at is null
        and datasets.id = jobs.dataset_id and countries.id = datasets.country_id
    returning jsonb_build_object('job_type', jobs.type, 'attempt', jobs.attempts + 1,
        'dataset_id', datasets.id, 'dataset_key', datasets.key, 'country', countries.code,
        'filename', datasets.filename, 'storage_uri', datasets.storage_uri, 'sha256', datasets.sha256,
        'size', datasets.size, 'year_hint', datasets.year_hint, 'sex_hint', datasets.sex_hint,
        'format_hint', datasets.format_hint, 'region_hint', datasets.region_hint,
        'description', datasets.description) into assignment;
    if assignment is null then
        return jsonb_build_object('refused', why_not_held(of_job, of_epoch));
    end if;
    return jsonb_build_object('assignment', assignment, 'still_loading', end_earlier_loads(of_job, of_epoch));
end $$;

-- Renews the lease, and records the progress and the log if it has changed. False: the lease is lost, or a client asked
-- for a cancel.
create function runner_heartbeat(
    of_job uuid, of_epoch int, secret text, uid text, lease interval, bytes bigint, rows bigint, lines jsonb
) returns boolean
language plpgsql security definer set search_path from current as $$
begin
    perform prove(of_job, of_epoch, secret);
    update runs set lease_until = clock_timestamp() + bounded(lease), bytes_done = bytes, rows_done = rows,
        log = coalesce(bounded(lines), log)
    where job_id = of_job and epoch = of_epoch and runner_uid = uid and ended_at is null
        and exists (select from jobs where id = of_job and lease_epoch = of_epoch and state = 'running'
                    and cancel_requested_at is null);
    return found;
end $$;

-- Records what a runner reports of a run that did not commit; settle decides.
create function runner_record_outcome(
    of_job uuid, of_epoch int, secret text, uid text, report jsonb, lines jsonb
) returns void
language plpgsql security definer set search_path from current as $$
begin
    perform prove(of_job, of_epoch, secret);
    update runs set outcome = bounded(report), log = coalesce(bounded(lines), log)
    where job_id = of_job and epoch = of_epoch and runner_uid = uid and ended_at is null and committed_at is null;
end $$;

-- Did this run commit? Asked by a runner whose connection broke while it committed, perhaps after its run was settled.
create function runner_has_committed(of_job uuid, of_epoch int, secret text) returns boolean
language plpgsql security definer set search_path from current as $$
begin
    perform prove(of_job, of_epoch, secret);
    return exists (select from runs where job_id = of_job and epoch = of_epoch and committed_at is not null);
end $$;

-- Counts a list's names by sex in the rows of other datasets of the country, in the 20 lists of the nearest years.
create function runner_sexes_of(
    of_job uuid, of_epoch int, secret text, uid text, of_year int, of_names text[]
) returns table (name text, female bigint, male bigint)
language plpgsql security definer set search_path from current as $$
#variable_conflict use_column
begin
    perform prove(of_job, of_epoch, secret);
    if not is_held(of_job, of_epoch, uid) then
        return;
    end if;
    return query
        select names.name, coalesce(sum(names.count) filter (where names.gender = 'F'), 0)::bigint,
            coalesce(sum(names.count) filter (where names.gender = 'M'), 0)::bigint
        from (
            select coverage.dataset_key, coverage.year, coverage.gender
            from coverage join datasets on datasets.country_id = coverage.country_id
                and datasets.key <> coverage.dataset_key
            join jobs on jobs.dataset_id = datasets.id
            where jobs.id = of_job and coverage.superseded_by is null
            order by abs(coverage.year - of_year), coverage.dataset_key, coverage.gender limit 20
        ) lists
        join names on names.dataset_key = lists.dataset_key and names.year = lists.year and names.gender = lists.gender
            and names.name = any (of_names[1:200])
        group by names.name;
end $$;

-- What a transaction has set as `affirm.loading` if it may insert rows of this dataset. It holds for it alone: the number
-- of a transaction never comes again.
create function loading_mark(dataset text) returns text
language sql volatile strict security definer set search_path from current as $$
    select dataset || ' ' || encode(keyed('loading ' || dataset || ' ' || pg_current_xact_id()), 'hex')
$$;

-- The dataset whose rows this transaction may insert; null if there is none.
create function loading_dataset() returns int
language plpgsql security definer set search_path from current as $$
declare
    said text := current_setting('affirm.loading', true);
    dataset text := split_part(said, ' ', 1);
begin
    return case when said = loading_mark(dataset) then dataset::int end;
end $$;

-- Begins a load: the first statement of its transaction. Takes the lock by which settle and later runners find and end
-- it, and deletes the dataset's old rows. It limits how long this and later statements wait for a lock, and how long
-- Postgres keeps the locks of a runner that says nothing more. Returns null, or why the run may not load.
create function runner_begin_load(of_job uuid, of_epoch int, secret text, uid text, patience text) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
    dataset int;
begin
    perform prove(of_job, of_epoch, secret);
    perform set_config('lock_timeout', '30s', true), set_config('idle_in_transaction_session_timeout', patience, true);
    perform pg_advisory_xact_lock(load_lock(of_job, of_epoch));
    if not is_held(of_job, of_epoch, uid) then
        return jsonb_build_object('refused', why_not_held(of_job, of_epoch));
    end if;
    select datasets.key into strict dataset from datasets join jobs on jobs.dataset_id = datasets.id
    where jobs.id = of_job;
    delete from names where dataset_key = dataset;
    perform set_config('affirm.loading', loading_mark(dataset::text), true);
    return null;
end $$;

-- Lets in the rows of the dataset that this transaction loads, and no others. Who owns the table may insert any.
create function only_rows_of_the_load() returns trigger
language plpgsql set search_path from current as $$
declare
    loading int;
begin
    if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'member') then
        return null;
    end if;
    loading := loading_dataset();
    if exists (select from added where added.dataset_key is distinct from loading) then
        raise exception using errcode = 'insufficient_privilege',
            message = 'rows of a dataset that this transaction does not load';
    end if;
    return null;
end $$;
create trigger names_only_rows_of_the_load after insert on names referencing new table as added
    for each statement execute function only_rows_of_the_load();

-- Frees what a dataset covered, or gives it to the dataset that counts in its place. `datasets delete` calls it too.
create function uncover(dataset int) returns void
language sql set search_path from current as $$
    with gone as (
        delete from coverage where dataset_key = dataset returning year, gender, superseded_by
    )
    update coverage set superseded_by = gone.superseded_by
    from gone
    where coverage.superseded_by = dataset and coverage.year = gone.year and coverage.gender = gone.gender
$$;

-- Writes what a dataset's new rows are of, within their load. Returns null, or the years and sexes for which another
-- dataset counts that was not submitted to replace this one, with that dataset.
--
-- A unique index decides which of two datasets counts. So this is safe for loads that commit at the same time: the second
-- one waits for the first, and each statement here sees what was committed before it. docs/decisions/0008 has the rules.
create function cover(dataset uuid, covers jsonb) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
    this datasets;
    uncounted jsonb;
    overlapping jsonb;
    superseded int;
begin
    select * into strict this from datasets where id = dataset;
    perform uncover(this.key);
    -- Takes the place of the datasets that this one was submitted to replace, as far as both cover the same.
    if cardinality(this.supersedes) > 0 then
        update coverage set superseded_by = this.key
        from datasets old, jsonb_to_recordset(covers) as covered (year smallint, gender "char")
        where old.id = any (this.supersedes) and coverage.dataset_key = old.key
            and coverage.superseded_by is null and coverage.country_id = this.country_id
            and coverage.measure = this.measure and coverage.region is not distinct from this.region
            and coverage.year = covered.year and coverage.gender = covered.gender;
    end if;
    -- Leaves out a year and sex that another dataset counts for, after waiting for a load that is committing just now.
    with counted as (
        insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count)
        select this.key, year, gender, this.country_id, this.region, this.measure, rows, total
        from jsonb_to_recordset(covers) as covered (year smallint, gender "char", rows int, total bigint)
        order by year, gender
        on conflict do nothing
        returning year, gender
    )
    select jsonb_agg(covered) into uncounted
    from jsonb_to_recordset(covers) as covered (year smallint, gender "char", rows int, total bigint)
    where not exists (select from counted where counted.year = covered.year and counted.gender = covered.gender);
    if uncounted is null then
        return null;
    end if;
    select jsonb_agg(jsonb_build_object('year', coverage.year, 'gender', coverage.gender, 'key', other.key,
            'id', other.id, 'filename', other.filename) order by other.key, coverage.year, coverage.gender)
        into overlapping
    from coverage join datasets other on other.key = coverage.dataset_key
    join jsonb_to_recordset(uncounted) as covered (year smallint, gender "char")
        on covered.year = coverage.year and covered.gender = coverage.gender
    where coverage.superseded_by is null and coverage.country_id = this.country_id
        and coverage.measure = this.measure and coverage.region is not distinct from this.region
        and coverage.dataset_key <> this.key and this.id <> all (other.supersedes);
    if overlapping is not null then
        return overlapping;
    end if;
    -- The others were submitted to replace this one.
    insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count, superseded_by)
    select this.key, covered.year, covered.gender, this.country_id, this.region, this.measure, rows, total,
        holder.dataset_key
    from jsonb_to_recordset(uncounted) as covered (year smallint, gender "char", rows int, total bigint)
    join coverage holder on holder.superseded_by is null and holder.country_id = this.country_id
        and holder.measure = this.measure and holder.region is not distinct from this.region
        and holder.year = covered.year and holder.gender = covered.gender;
    get diagnostics superseded = row_count;
    if superseded <> jsonb_array_length(uncounted) then
        raise exception using errcode = 'AW003',
            message = 'a dataset that counts for the same was deleted just now';
    end if;
    return null;
end $$;

-- Ends a load, after its rows: completes dataset, job and run. It locks job and run until the commit, which comes along
-- with it. So that nothing is committed after a refusal, that is an error: AW001, the lease is lost, with `why_not_held`
-- as its detail; AW002, another dataset counts for the same, with the answer of `cover`.
create function runner_commit_load(
    of_job uuid, of_epoch int, secret text, uid text, loaded jsonb, bytes bigint, lines jsonb
) returns void
language plpgsql security definer set search_path from current as $$
declare
    dataset uuid;
    overlapping jsonb;
begin
    perform prove(of_job, of_epoch, secret);
    -- The fence.
    select jobs.dataset_id into dataset from jobs join runs on runs.job_id = jobs.id
    where jobs.id = of_job and jobs.state = 'running' and jobs.lease_epoch = of_epoch
        and jobs.cancel_requested_at is null
        and runs.epoch = of_epoch and runs.runner_uid = uid and runs.ended_at is null
    for update;
    if dataset is null then
        raise exception using errcode = 'AW001', message = 'the lease is lost',
            detail = coalesce(why_not_held(of_job, of_epoch)::text, 'null');
    end if;
    update datasets set status = 'completed', loaded_at = clock_timestamp(),
        row_count = (loaded ->> 'rows')::bigint, total_count = (loaded ->> 'total')::bigint,
        parser = loaded ->> 'parser', region = loaded ->> 'region', measure = loaded ->> 'measure',
        top = (loaded ->> 'top')::int, error = null, warning = loaded ->> 'warning',
        report = bounded(nullif(loaded -> 'report', 'null')), updated_at = clock_timestamp()
    where id = dataset;
    overlapping := cover(dataset, loaded -> 'coverage');
    if overlapping is not null then
        raise exception using errcode = 'AW002', message = 'another dataset counts for the same',
            detail = overlapping::text;
    end if;
    update jobs set state = 'completed', finished_at = clock_timestamp(), last_cause = null, last_error = null
    where id = of_job;
    update runs set committed_at = clock_timestamp(), bytes_done = bytes, rows_done = (loaded ->> 'rows')::bigint,
        outcome = jsonb_build_object('cause', 'completed', 'rows', (loaded ->> 'rows')::bigint),
        log = coalesce(bounded(lines), log)
    where job_id = of_job and epoch = of_epoch;
    perform set_config('affirm.loading', '', true);
end $$;

-- Whatever grants.sql can do: nobody but the owner may call any of these without being named there. And where the database
-- is ours, nobody else may make a temporary table in it: on a pooler's connection it would stay for the next client.
do $$
declare
    function regprocedure;
begin
    for function in select oid from pg_proc where pronamespace = current_schema()::regnamespace loop
        execute format('revoke execute on function %s from public', function);
    end loop;
    if pg_has_role((select datdba from pg_database where datname = current_database()), 'member') then
        execute format('revoke temporary on database %I from public', current_database());
    else
        raise notice 'temporary tables are allowed in database %; its owner can end that: revoke temporary on database %'
            ' from public', quote_ident(current_database()), quote_ident(current_database());
    end if;
end $$;
