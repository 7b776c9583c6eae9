-- The queue (pools, jobs, runs), what it is about (countries, datasets) and what it makes (names).

-- Made once; every Kubernetes Job of ours carries it as a label.
create table installation (
    only_one boolean primary key default true check (only_one),
    id uuid not null default gen_random_uuid(),
    created_at timestamptz not null default now()
);
insert into installation default values;

-- ISO 3166-1; filled by `affirm-worker migrate`.
create table countries (
    id uuid primary key default gen_random_uuid(),
    code text not null unique check (code ~ '^[A-Z]{2}$'),
    name text not null
);

create table datasets (
    id uuid primary key default gen_random_uuid(),
    key int generated always as identity unique,
    country_id uuid not null references countries,
    filename text not null check (filename <> ''),
    storage_uri text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size bigint not null check (size >= 0),
    -- What a renamed file has lost, given at submit; null where the file says it itself.
    year_hint smallint,
    sex_hint "char" check (sex_hint in ('F', 'M')),
    status text not null default 'pending'
        check (status in ('pending', 'processing', 'completed', 'failed', 'reprocessing')),
    -- Of the rows that are loaded now: set by every load, in the transaction that loads them.
    loaded_at timestamptz,
    row_count bigint check (row_count >= 0),
    total_count bigint check (total_count >= 0),
    parser text,
    region text,
    measure text check (measure in ('births', 'population')),
    supersedes uuid references datasets,
    error text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (country_id, sha256),
    constraint rows_exactly_while_loaded check ((status in ('completed', 'reprocessing')) = (loaded_at is not null)),
    constraint loaded_is_described check (
        (loaded_at is null) = (row_count is null) and (loaded_at is null) = (total_count is null)
        and (loaded_at is null) = (parser is null) and (loaded_at is null) = (measure is null)),
    constraint failed_has_error check (status <> 'failed' or error is not null)
);

create table pools (
    name text primary key check (name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'),
    max_running int not null check (max_running >= 0),
    paused boolean not null default false
);
insert into pools (name, max_running) values ('default', 64);

create table jobs (
    id uuid primary key default gen_random_uuid(),
    -- Four bytes that name the job in advisory locks.
    key int generated always as identity unique,
    dataset_id uuid not null references datasets on delete cascade,
    type text not null check (type in ('parse_dataset', 'reprocess_dataset')),
    pool text not null default 'default' references pools,
    priority smallint not null default 0,
    state text not null default 'queued'
        check (state in ('scheduled', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    run_at timestamptz not null default now(),
    lease_epoch int not null default 0 check (lease_epoch >= 0),
    attempts int not null default 0 check (attempts >= 0),
    interruptions int not null default 0 check (interruptions >= 0),
    -- Claims given back in a row because the cluster would not start them, and since when; no budget is used.
    give_backs int not null default 0 check (give_backs >= 0),
    blocked_since timestamptz,
    cancel_requested_at timestamptz,
    last_cause text,
    last_error text,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint finished_has_time check ((state in ('completed', 'failed', 'cancelled')) = (finished_at is not null)),
    constraint blocked_has_since check ((give_backs > 0) = (blocked_since is not null)),
    constraint running_has_epoch check (state <> 'running' or lease_epoch > 0),
    constraint failed_has_error check (state <> 'failed' or (last_error is not null and last_cause is not null))
) with (fillfactor = 80);
create unique index jobs_one_unfinished on jobs (dataset_id) where state in ('scheduled', 'queued', 'running');
create index jobs_of_dataset on jobs (dataset_id);
create index jobs_to_claim on jobs (pool, priority desc, run_at, key) where state = 'queued';
create index jobs_to_promote on jobs (pool, run_at) where state = 'scheduled';

create table runs (
    job_id uuid not null references jobs on delete cascade,
    epoch int not null check (epoch > 0),
    pool text not null,
    launcher text not null,
    -- The controller that claimed it (its WORKER_ID and a part that is new at every start).
    owner text not null,
    claimed_at timestamptz not null default now(),
    lease_until timestamptz not null,
    -- The launcher's name for it: the Kubernetes Job, or the process id.
    launched_at timestamptz,
    launch_name text,
    -- The one runner that took it; a pod's uid on Kubernetes.
    started_at timestamptz,
    runner_uid text,
    pod_name text,
    node text,
    bytes_done bigint not null default 0,
    rows_done bigint not null default 0,
    committed_at timestamptz,
    -- What the runner itself said of its end.
    outcome jsonb,
    ended_at timestamptz,
    cause text,
    reason text,
    error text,
    -- Exit code, signal, reason and message of the pod, its timings: what `cause` was concluded from.
    evidence jsonb,
    released_at timestamptz,
    primary key (job_id, epoch),
    constraint launched_has_name check ((launched_at is null) = (launch_name is null)),
    constraint started_has_runner check ((started_at is null) = (runner_uid is null)),
    constraint committed_was_started check (committed_at is null or started_at is not null),
    constraint ended_has_cause check ((ended_at is null) = (cause is null)),
    constraint released_was_ended check (released_at is null or ended_at is not null),
    constraint completed_was_committed check (cause is null or (cause = 'completed') = (committed_at is not null))
) with (fillfactor = 70);
create index runs_unreleased on runs (pool) where released_at is null;

create table names (
    dataset_key int not null,
    year smallint not null,
    gender "char" not null check (gender in ('F', 'M')),
    name text collate "C" not null,
    -- NFC and casefolded by the loader: finds a name whatever the publisher's letter case.
    folded_name text collate "C" not null,
    count int not null check (count > 0),
    primary key (dataset_key, year, name, gender)
);
create index names_by_folded_name on names (folded_name, year);

-- Wakes the controllers. Losing it costs latency only: they poll as well.
create function notify_jobs() returns trigger language plpgsql as $$
begin
    perform pg_notify('affirm_jobs', '');
    return null;
end $$;
create trigger jobs_enqueued after insert on jobs for each statement execute function notify_jobs();
create trigger jobs_cancel_requested after update of cancel_requested_at on jobs
    for each statement execute function notify_jobs();

-- Ends the load transactions of a job's runs up to an epoch; returns how many still hold their lock.
-- Called by whoever fences a run, again until it returns 0: a stopped client of COPY FROM STDIN heeds nothing milder.
create function terminate_runners(job_key int, last_epoch int) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select count(pg_terminate_backend(pid))
    from pg_locks
    where locktype = 'advisory' and objsubid = 2 and granted
        and database = (select oid from pg_database where datname = current_database())
        and classid = job_key::oid and objid <= last_epoch::oid
        and pid <> pg_backend_pid()
$$;
