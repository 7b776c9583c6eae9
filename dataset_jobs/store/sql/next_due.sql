-- Seconds until the next scheduled job or the next tick of a schedule is due, null if there is none. Called by the
-- reconcile loop, to wake in time. A tick that is due already wakes nobody: somebody is at it.
select extract(epoch from least(
    (select min(run_at) from jobs where pool = %(pool)s and state = 'scheduled'),
    (select min(greatest(next_at, not_before)) from schedules
        where not paused and greatest(next_at, not_before) > clock_timestamp())
) - clock_timestamp())::float8 as extract
