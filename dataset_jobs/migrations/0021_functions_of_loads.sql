-- How a runner replaces the rows of its dataset: begin, the rows, which a trigger lets in, and the commit.

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

-- Ends the runners' sessions that wait for a table's lock which no run of ours asks for; returns how many.
-- Postgres takes the lock of `create rule` and the like before it looks at rights: all others queue behind such a wait.
create function end_waiting_runners() returns bigint
language sql security definer set search_path from current as $$
    select count(pg_terminate_backend(pid))
    from (
        select distinct locks.pid
        from pg_locks locks
        join pg_class tables on tables.oid = locks.relation and tables.relnamespace = current_schema()::regnamespace
        join pg_stat_activity sessions on sessions.pid = locks.pid
        join pg_roles logins on logins.oid = sessions.usesysid and not logins.rolsuper
        join pg_roles runners on runners.rolname = 'affirm_runner'
        where not locks.granted
            and locks.database = (select oid from pg_database where datname = current_database())
            and locks.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
            and pg_has_role(logins.oid, runners.oid, 'member')
            and not pg_has_role(logins.oid, current_user, 'member')
    ) waiting
$$;

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
