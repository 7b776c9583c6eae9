-- How many jobs are in each unfinished state, and what still holds a slot. Called by run, to see when it is idle.
select count(*) filter (where state = 'queued') as queued,
    count(*) filter (where state = 'running') as running,
    count(*) filter (where state = 'scheduled' and run_at <= now()) as due,
    count(*) filter (where state = 'scheduled' and run_at > now()) as waiting,
    (select count(*) from runs where pool = any (%(pools)s) and released_at is null) as unreleased
from jobs where pool = any (%(pools)s) and state in ('scheduled', 'queued', 'running')
