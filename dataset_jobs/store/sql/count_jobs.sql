-- How many jobs are in each unfinished state, what still holds a slot, and how many
-- ticks of schedules are due or being done. Called by run, to see when it is idle.
select count(*) filter (where state = 'queued') as queued,
    count(*) filter (where state = 'running') as running,
    count(*) filter (where state = 'scheduled' and run_at <= now()) as due,
    count(*) filter (where state = 'scheduled' and run_at > now()) as waiting,
    (select count(*) from runs where pool = any (%(pools)s) and released_at is null) as unreleased,
    (select count(*) from schedules where not paused and next_at <= now()
        and (holder is not null or coalesce(not_before, next_at) <= now())) as ticks
from jobs where pool = any (%(pools)s) and state in ('scheduled', 'queued', 'running')
