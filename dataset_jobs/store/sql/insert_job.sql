-- Enqueues a job; the trigger on jobs wakes the controllers. One that is for later waits as scheduled. Called by submit,
-- reprocess and schedules.
insert into jobs (dataset_id, type, pool, priority, state, run_at)
select %(dataset_id)s, %(type)s, %(pool)s, %(priority)s,
    case when run_at > clock_timestamp() then 'scheduled' else 'queued' end, greatest(run_at, now())
from (select coalesce(%(at)s::timestamptz, clock_timestamp() + %(after)s::interval, now()) as run_at) asked
returning id
