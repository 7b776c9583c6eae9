-- What keeps a pool's runs from starting, what a pod that has not started waits for, and how much memory a job needs.

alter table pools
    -- Runs that may be unstarted at once; null: as many as may run.
    add column max_pending int check (max_pending > 0),
    -- Why its runs cannot start, and since when; null where they can. Then one run at a time is claimed, as a probe.
    add column blocked_since timestamptz,
    add column blocked_cause text,
    add column blocked_reason text,
    add column blocked_error text,
    add column probe_at timestamptz,
    add column probes int not null default 0 check (probes >= 0),
    add constraint blocked_is_described check (
        (blocked_since is null) = (blocked_cause is null) and (blocked_since is null) = (blocked_error is null)
        and (blocked_since is null) = (probe_at is null) and (blocked_since is not null or probes = 0));

alter table runs
    -- Why its pod has not started, as it was seen last: one of the reasons of cannot_start, and the cluster's own words.
    add column waits_for text,
    add column waits_for_error text;
create index runs_started on runs (pool, started_at) where started_at is not null;

-- How often its memory was doubled, after runs that were out of it.
alter table jobs add column memory_doublings int not null default 0 check (memory_doublings >= 0);
