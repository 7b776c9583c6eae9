-- Seconds until the next scheduled job is due, null if there is none. Called by the reconcile loop, to wake in time.
select extract(epoch from min(run_at) - clock_timestamp())::float8 from jobs where pool = %(pool)s and state = 'scheduled'
