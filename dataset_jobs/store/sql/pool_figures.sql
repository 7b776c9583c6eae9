-- What there is to tell of a pool in its ParserPool's status; one row, be there such a pool or not. Called every few
-- seconds.
select asked.name, coalesce(pools.max_running, 0) as maximum, pools.max_pending, coalesce(pools.paused, false) as paused,
    pools.desired, pools.reason, pools.blocked_cause, pools.blocked_reason, pools.blocked_error,
    queue.queued, queue.scheduled, queue.oldest_queued_since,
    held.running, held.pending, held.in_use, held.waits_for_error, clock_timestamp() as now
from (select %(pool)s::text as name) asked
left join pools on pools.name = asked.name,
lateral (
    select count(*) filter (where state = 'queued') as queued,
        count(*) filter (where state = 'scheduled') as scheduled,
        date_trunc('second', min(run_at) filter (where state = 'queued')) as oldest_queued_since
    from jobs where pool = asked.name and state in ('queued', 'scheduled')
) queue,
lateral (
    select count(*) filter (where started_at is not null) as running,
        count(*) filter (where started_at is null and ended_at is null) as pending, count(*) as in_use,
        min(waits_for_error) filter (where started_at is null and ended_at is null and waits_for = 'unschedulable')
            as waits_for_error
    from runs where pool = asked.name and released_at is null
) held
