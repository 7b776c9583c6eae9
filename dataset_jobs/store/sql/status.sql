-- How the whole installation is, for `status` and `jobs explain`. Each statement is a transaction of its own.

-- name: status.pools
-- Lists every pool, or one, with its limits and decision, its queue, and the runs that hold its slots. A failed job
-- counts while no later one of its dataset has been made, as in jobs.failed.
select pools.name, pools.desired, pools.min_running, pools.max_running, pools.limited_by, pools.reason, pools.decided_by,
    pools.decided_at, pools.max_pending, pools.paused, pools.paused_since, pools.paused_reason,
    pools.described > 0 as described, pools.described_in, pools.refusal,
    pools.blocked_since, pools.blocked_cause, pools.blocked_reason, pools.blocked_error, pools.probe_at,
    coalesce(queue.queued, 0) as queued, coalesce(queue.scheduled, 0) as scheduled,
    coalesce(queue.running, 0) as running, coalesce(dead.failed, 0) as failed,
    case when queue.oldest_due is not null
        then greatest(0, extract(epoch from clock_timestamp() - queue.oldest_due))::float8 end as oldest_wait_seconds,
    coalesce(held.claimed, 0) as runs_claimed, coalesce(held.launched, 0) as runs_launched,
    coalesce(held.working, 0) as runs_working, coalesce(held.ending, 0) as runs_ending,
    coalesce(held.waiting, 0) as runs_waiting, held.waits_for_error,
    coalesce(held.unanswered, 0) as runs_unanswered, held.unanswered_since, held.unanswered_error
from pools
left join (
    select pool, count(*) filter (where state = 'queued') as queued,
        count(*) filter (where state = 'scheduled') as scheduled,
        count(*) filter (where state = 'running') as running,
        min(run_at) filter (where state = 'queued' or (state = 'scheduled' and run_at <= clock_timestamp()))
            as oldest_due
    from jobs
    where state in ('queued', 'scheduled', 'running') and (%(pool)s::text is null or pool = %(pool)s)
    group by pool
) queue on queue.pool = pools.name
left join (
    select pool, count(*) as failed from jobs
    where state = 'failed' and (%(pool)s::text is null or pool = %(pool)s)
        and not exists (select from jobs later where later.dataset_id = jobs.dataset_id and later.key > jobs.key)
    group by pool
) dead on dead.pool = pools.name
left join (
    select pool,
        count(*) filter (where ended_at is null and committed_at is null and launched_at is null and started_at is null)
            as claimed,
        count(*) filter (where ended_at is null and committed_at is null and launched_at is not null
            and started_at is null) as launched,
        count(*) filter (where ended_at is null and committed_at is null and started_at is not null) as working,
        count(*) filter (where ended_at is not null or committed_at is not null) as ending,
        count(*) filter (where ended_at is null and started_at is null and waits_for = 'unschedulable') as waiting,
        min(waits_for_error) filter (where ended_at is null and started_at is null and waits_for = 'unschedulable')
            as waits_for_error,
        count(*) filter (where ended_at is null and launched_at is null and waits_for = 'unavailable') as unanswered,
        min(claimed_at) filter (where ended_at is null and launched_at is null and waits_for = 'unavailable')
            as unanswered_since,
        min(waits_for_error) filter (where ended_at is null and launched_at is null and waits_for = 'unavailable')
            as unanswered_error
    from runs where released_at is null and (%(pool)s::text is null or pool = %(pool)s) group by pool
) held on held.pool = pools.name
where %(pool)s::text is null or pools.name = %(pool)s
order by pools.name

-- name: status.controllers
-- Lists the controllers that say they are alive, and those that have claimed something lately or whose runs hold slots.
-- One without a row in `controllers` has ended.
select owner, coalesce(controllers.launcher, claims.launcher) as launcher,
    coalesce(controllers.pools, claims.pools) as pools, claims.last_claim, coalesce(claims.unreleased, 0) as unreleased,
    claims.heard_of_until, controllers.started_at, controllers.seen_at,
    extract(epoch from clock_timestamp() - controllers.seen_at)::float8 as silent_seconds,
    controllers.trouble, coalesce(controllers.trouble_permanent, false) as trouble_permanent,
    controllers.trouble_since, coalesce(controllers.trouble_tries, 0) as trouble_tries,
    coalesce(controllers.warnings, '{}') as warnings
from controllers full join (
    select owner, min(launcher) as launcher, array_agg(distinct pool) as pools, max(claimed_at) as last_claim,
        count(*) filter (where released_at is null) as unreleased,
        max(lease_until) filter (where released_at is null) as heard_of_until
    from runs where released_at is null or claimed_at > now() - interval '1 hour'
    group by owner
) claims using (owner)
where controllers.seen_at > clock_timestamp() - interval '1 hour' or claims.owner is not null
order by controllers.seen_at desc nulls last, claims.last_claim desc

-- name: status.listening
-- Counts the controllers that listen for notifications now. A controller behind a pooler cannot, and is not counted.
select count(*) as listening from pg_stat_activity where datname = current_database() and application_name = 'affirm-worker listen'

-- name: status.blocked_jobs
-- Counts the jobs whose runs cannot start, by cause, each with one job as an example.
select pool, last_cause as cause, last_error as error, count(*) as jobs, min(blocked_since) as since,
    min(run_at) as next_try, (array_agg(id order by blocked_since))[1] as job_id
from jobs where blocked_since is not null and state in ('scheduled', 'queued', 'running')
group by pool, last_cause, last_error order by min(blocked_since)
