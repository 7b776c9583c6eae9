-- What an HTTP API needs beneath it: keys, who did what, acts over many jobs at once, and the past of pools.

-- The keys of the API. The secret is random, so one hash of it is enough.
create table api_keys (
    id text primary key check (id ~ '^[0-9A-Za-z]{8}$'),
    name text not null check (name <> '' and length(name) <= 100),
    role text not null check (role in ('viewer', 'uploader', 'admin')),
    secret_hash bytea not null check (length(secret_hash) = 32),
    made_by text not null,
    made_at timestamptz not null default clock_timestamp(),
    -- Null: it never expires.
    expires_at timestamptz,
    -- Written at most once a minute.
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    constraint revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
);
-- A name tells who did something, so no two keys in use have the same.
create unique index api_keys_by_name on api_keys (name) where revoked_at is null;

-- Who did what, written by the transaction that did it. Rows are only ever added.
create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    -- The name of the key, the user whom a proxy names, os-user@host, or the controller's.
    actor text not null check (actor <> ''),
    surface text not null check (surface in ('api', 'web', 'cli', 'controller')),
    action text not null,
    -- Such as dataset/ID, job/ID or pool/NAME.
    target text,
    result text not null,
    detail jsonb not null default '{}',
    request_id text,
    key_id text
);
create index audit_of_target on audit (target, id) where target is not null;
create index audit_of_actor on audit (actor, id);
create index audit_of_action on audit (action, id);
create index audit_of_key on audit (key_id, id) where key_id is not null;

-- The files that somebody submitted together, and how lists find them.
alter table datasets add column batch text check (batch <> '' and length(batch) <= 100);
create index datasets_of_batch on datasets (batch, key) where batch is not null;
create index datasets_created on datasets (created_at);
create index datasets_of_content on datasets (sha256);
-- For names that begin with something; what a name contains is looked for in the names themselves.
create index datasets_by_filename on datasets (lower(filename) text_pattern_ops);
create index datasets_of_region on datasets (region, key) where region is not null;
create index datasets_of_measure on datasets (measure, key) where measure is not null;
create index coverage_of_year on coverage (year, dataset_key);
-- With the key: so it is quick to find out whether a dataset has a later job.
drop index jobs_of_dataset;
create index jobs_of_dataset on jobs (dataset_id, key);
create index jobs_reprocessing on jobs (key) where type = 'reprocess_dataset';
create index runs_of_reason on runs (reason, job_id) where reason is not null;
-- For who has claimed lately. Rows come in its order, so a claim pays little for it.
create index runs_claimed on runs (claimed_at);

-- Acts over all jobs or datasets that match a filter, a batch a transaction.
create table operations (
    id uuid primary key default gen_random_uuid(),
    key int generated always as identity unique,
    action text not null check (action in ('retry', 'cancel', 'set', 'reprocess', 'delete', 'purge')),
    filter jsonb not null,
    -- What the action takes, such as the new priority.
    options jsonb not null default '{}',
    state text not null default 'running' check (state in ('running', 'completed', 'cancelled', 'failed')),
    -- How many matched at the start, how many of them are dealt with, and how many of those were refused.
    of int not null check (of >= 0),
    done int not null default 0 check (done >= 0),
    failed int not null default 0 check (failed between 0 and done),
    -- Why, and how many: {"reason": 3}.
    refusals jsonb not null default '{}',
    -- The keys that matched, and where the next batch begins: everything up to that is dealt with, once.
    first_key int,
    last_key int,
    position int,
    made_by text not null,
    surface text not null,
    key_id text,
    request_id text,
    made_at timestamptz not null default clock_timestamp(),
    cancel_requested_at timestamptz,
    cancelled_by text,
    ended_at timestamptz,
    error text,
    -- Who carries it on, for how long.
    holder uuid,
    lease_until timestamptz,
    constraint ended_has_time check ((state = 'running') = (ended_at is null))
);
create index operations_running on operations (key) where state = 'running';

-- A pool's past, a row a minute; kept for 30 days.
create table pool_minutes (
    pool text not null references pools on delete cascade,
    minute timestamptz not null,
    depth int not null,
    oldest_wait_seconds real,
    running int not null,
    pending int not null,
    desired int,
    maximum int not null,
    -- Ends within the minute before.
    finished int not null,
    failed int not null,
    -- The seconds that its runs were at work within it.
    busy real not null,
    primary key (pool, minute)
);

-- What clients do to jobs, runs and rows, by functions that run as the owner: so the API's role can ask for a cancel or a
-- retry, and can neither claim nor settle, and writes no row of `names`.

-- Cancels a job that is not running; its dataset rests as it is.
create function cancel_waiting_job(of_job uuid) returns void
language sql security definer set search_path from current as $$
    with cancelled as (
        update jobs set state = 'cancelled', finished_at = clock_timestamp(),
            cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
            last_cause = 'cancelled', last_error = 'cancelled'
        where id = of_job and state in ('scheduled', 'queued')
        returning dataset_id
    )
    update datasets set error = 'cancelled', updated_at = clock_timestamp()
    from cancelled where datasets.id = cancelled.dataset_id
$$;

-- Asks for the cancel of a running job, and ends its run before its pod is gone: no runner can take it, and a runner that
-- has taken it cannot commit any more. A trigger wakes the controllers; settle frees the slot when the pod is gone.
create function cancel_running_job(of_job uuid) returns void
language sql security definer set search_path from current as $$
    with asked as (
        update jobs set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
        where id = of_job and state = 'running'
        returning id, lease_epoch
    )
    update runs set ended_at = clock_timestamp(), cause = 'cancelled', error = 'cancelled'
    from asked
    where job_id = asked.id and epoch = asked.lease_epoch and ended_at is null and committed_at is null
$$;

-- Queues a dead letter again with fresh budgets. Its runs stay, and its epoch continues. A trigger on
-- cancel_requested_at wakes the controllers.
create function retry_job(of_job uuid, of_priority int) returns void
language sql security definer set search_path from current as $$
    update jobs set state = 'queued', run_at = clock_timestamp(), finished_at = null, cancel_requested_at = null,
        attempts = 0, interruptions = 0, give_backs = 0, blocked_since = null, last_cause = null, last_error = null,
        retried_at = retried_at || clock_timestamp(),
        priority = coalesce(of_priority, priority)
    where id = of_job and state in ('failed', 'cancelled')
$$;

-- Sets another priority, time or pool for a job that waits; null leaves it. A job brought forward is queued, and the
-- controllers are woken. Another pool may be able to start its run.
create function set_waiting_job(of_job uuid, of_priority int, of_run_at timestamptz, of_pool text) returns void
language sql security definer set search_path from current as $$
    with changed as (
        update jobs set
            priority = coalesce(of_priority, priority),
            pool = coalesce(of_pool, pool),
            blocked_since = case when coalesce(of_pool, pool) = pool then blocked_since end,
            run_at = case when of_run_at is null then run_at else greatest(of_run_at, now()) end,
            state = case when of_run_at is null then state when of_run_at > now() then 'scheduled' else 'queued' end
        where id = of_job and state in ('scheduled', 'queued')
        returning id
    )
    select wake_controllers() from changed
$$;

-- Removes a batch of jobs that finished long ago, with their runs, except jobs with a run that still holds a slot.
create function purge_jobs(of_pool text, older_than interval, of_states text[], batch int) returns setof uuid
language sql security definer set search_path from current as $$
    delete from jobs where id = any (array(
        select id from jobs
        where (of_pool is null or pool = of_pool)
            and finished_at < clock_timestamp() - older_than and state = any (of_states)
            and not exists (select from runs where runs.job_id = jobs.id and runs.released_at is null)
        order by finished_at
        limit batch
        for update skip locked))
    returning id
$$;

-- Makes a failed dataset pending again; leaves any other as it is.
create function revive_dataset(of_dataset uuid) returns void
language sql security definer set search_path from current as $$
    update datasets set status = 'pending', updated_at = clock_timestamp() where id = of_dataset and status = 'failed'
$$;

-- Deletes a dataset, with its rows, its jobs and their runs; datasets that it superseded count again. Not while a run
-- holds it: that would load rows of nothing.
create function delete_dataset(of_dataset uuid) returns void
language plpgsql security definer set search_path from current as $$
declare
    dataset int;
begin
    select key into dataset from datasets where id = of_dataset for update;
    if exists (select from jobs left join runs on runs.job_id = jobs.id and runs.released_at is null
        where jobs.dataset_id = of_dataset and (runs.job_id is not null or jobs.state = 'running'))
    then
        raise exception using errcode = 'object_in_use', message = 'a run holds the dataset';
    end if;
    perform uncover(dataset);
    delete from names where dataset_key = dataset;
    delete from datasets where id = of_dataset;
end $$;

-- Whatever grants.sql can do: nobody but the owner may call these without being named there.
revoke execute on function cancel_waiting_job(uuid), cancel_running_job(uuid), retry_job(uuid, int),
    set_waiting_job(uuid, int, timestamptz, text), purge_jobs(text, interval, text[], int), revive_dataset(uuid),
    delete_dataset(uuid) from public;
