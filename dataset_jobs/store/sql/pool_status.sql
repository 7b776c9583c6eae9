-- Every pool: what is in force, what waits, and what holds its slots. Called by status.
select pools.name, pools.desired, pools.min_running, pools.max_running, pools.limited_by, pools.reason, pools.decided_by,
    pools.decided_at, pools.max_pending, pools.paused,
    pools.blocked_since, pools.blocked_cause, pools.blocked_reason, pools.blocked_error, pools.probe_at,
    coalesce(queue.queued, 0) as queued, coalesce(queue.scheduled, 0) as scheduled,
    coalesce(queue.running, 0) as running, coalesce(queue.failed, 0) as failed, queue.oldest_wait_seconds,
    coalesce(held.claimed, 0) as runs_claimed, coalesce(held.launched, 0) as runs_launched,
    coalesce(held.working, 0) as runs_working, coalesce(held.ending, 0) as runs_ending,
    coalesce(held.waiting, 0) as runs_waiting, held.waits_for_error,
    coalesce(held.unanswered, 0) as runs_unanswered, held.unanswered_since, held.unanswered_error
from pools
left join (
    select pool, count(*) filter (where state = 'queued') as queued,
        count(*) filter (where state = 'scheduled') as scheduled,
        count(*) filter (where state = 'running') as running,
        count(*) filter (where state = 'failed') as failed,
        greatest(0, extract(epoch from clock_timestamp()
            - min(run_at) filter (where state = 'queued' or (state = 'scheduled' and run_at <= clock_timestamp()))
            ))::float8 as oldest_wait_seconds
    from jobs where state in ('queued', 'scheduled', 'running', 'failed') group by pool
) queue on queue.pool = pools.name
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
    from runs where released_at is null group by pool
) held on held.pool = pools.name
order by pools.name
