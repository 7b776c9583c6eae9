-- What there is to tell of a pool in its ParserPool's status. Called every few seconds.
select pools.name, pools.max_running as maximum, pools.max_pending, pools.paused,
    pools.blocked_cause, pools.blocked_reason, pools.blocked_error,
    queue.queued, queue.scheduled, queue.oldest_queued_since,
    held.running, held.pending, held.in_use, held.waits_for_error
from pools,
lateral (
    select count(*) filter (where state = 'queued') as queued,
        count(*) filter (where state = 'scheduled') as scheduled,
        date_trunc('second', min(run_at) filter (where state = 'queued')) as oldest_queued_since
    from jobs where pool = pools.name and state in ('queued', 'scheduled')
) queue,
lateral (
    select count(*) filter (where started_at is not null) as running,
        count(*) filter (where started_at is null and ended_at is null) as pending, count(*) as in_use,
        min(waits_for_error) filter (where started_at is null and ended_at is null and waits_for = 'unschedulable')
            as waits_for_error
    from runs where pool = pools.name and released_at is null
) held
where pools.name = %(pool)s
