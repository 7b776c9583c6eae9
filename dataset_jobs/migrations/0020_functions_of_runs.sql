-- What a runner does outside its load: take its run, beat, report, and ask. Each function asks for the secret of the run.

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
