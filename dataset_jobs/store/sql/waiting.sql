-- Why jobs wait: what is around them, without any count of a whole queue. Each statement is a transaction of its own, and
-- takes milliseconds however many jobs there are.

-- name: waiting.pools
-- Reads some pools with their decisions and the runs that hold their slots, as status.pools does, but no queue.
select pools.name, pools.desired, pools.min_running, pools.max_running, pools.limited_by, pools.reason, pools.decided_by,
    pools.decided_at, pools.max_pending, pools.paused, pools.paused_since, pools.paused_reason,
    pools.described > 0 as described, pools.described_in, pools.refusal,
    pools.blocked_since, pools.blocked_cause, pools.blocked_reason, pools.blocked_error, pools.probe_at,
    held.*
from pools, lateral (
    select
        count(*) filter (where ended_at is null and committed_at is null and launched_at is null and started_at is null)
            as runs_claimed,
        count(*) filter (where ended_at is null and committed_at is null and launched_at is not null
            and started_at is null) as runs_launched,
        count(*) filter (where ended_at is null and committed_at is null and started_at is not null) as runs_working,
        count(*) filter (where ended_at is not null or committed_at is not null) as runs_ending,
        count(*) filter (where ended_at is null and started_at is null and waits_for = 'unschedulable') as runs_waiting,
        min(waits_for_error) filter (where ended_at is null and started_at is null and waits_for = 'unschedulable')
            as waits_for_error,
        count(*) filter (where ended_at is null and launched_at is null and waits_for = 'unavailable')
            as runs_unanswered,
        min(claimed_at) filter (where ended_at is null and launched_at is null and waits_for = 'unavailable')
            as unanswered_since,
        min(waits_for_error) filter (where ended_at is null and launched_at is null and waits_for = 'unavailable')
            as unanswered_error
    from runs where runs.pool = pools.name and released_at is null
) held
where pools.name = any (%(pools)s::text[])
order by pools.name

-- name: waiting.controllers
-- Lists the controllers that have reported lately, without what their runs say of them.
select owner, launcher, pools, null::timestamptz as last_claim, 0 as unreleased, null::timestamptz as heard_of_until,
    started_at, seen_at, extract(epoch from clock_timestamp() - seen_at)::float8 as silent_seconds,
    trouble, trouble_permanent, trouble_since, trouble_tries
from controllers where seen_at > clock_timestamp() - interval '1 hour'
order by seen_at desc

-- name: waiting.places
-- Counts the jobs that a claim takes before each of these, up to a limit; null if there are more. It reads the index of
-- the claim from its beginning. The array keeps the planner from joining each of these jobs with the whole beginning.
with asked as materialized (
    select id, key, pool from jobs where id = any (%(ids)s::uuid[]) and state = 'queued'
), placed as materialized (
    select queue.key, queue.number
    from (select distinct pool from asked) pools, lateral (
        select jobs.key, row_number() over (order by priority desc, run_at, jobs.key) as number
        from jobs where jobs.pool = pools.pool and jobs.state = 'queued'
        order by priority desc, run_at, jobs.key
        limit %(most)s + 1
    ) queue
    where queue.key = any (array(select key from asked))
)
select asked.id, placed.number - 1 as ahead from asked left join placed using (key)

-- name: waiting.runs
-- Reads the latest run of each of these jobs: what it waits for, or how it ended.
select runs.job_id, runs.claimed_at, runs.launched_at, runs.started_at, runs.ended_at, runs.cause, runs.reason, runs.error,
    runs.waits_for, runs.waits_for_error, runs.decision ->> 'max_attempts' as max_attempts
from jobs join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where jobs.id = any (%(ids)s::uuid[])
