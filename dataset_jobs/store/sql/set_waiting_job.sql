-- Another priority, another time, or both, for a job that waits; what is brought forward is queued, and the controllers
-- are woken. Called by jobs set, under the job's lock.
with changed as (
    update jobs set
        priority = coalesce(%(priority)s, priority),
        run_at = case when asked.run_at is null then jobs.run_at else greatest(asked.run_at, now()) end,
        state = case when asked.run_at is null then state when asked.run_at > now() then 'scheduled' else 'queued' end
    from (select coalesce(%(at)s::timestamptz, now() + %(after)s::interval) as run_at) asked
    where id = %(job_id)s and state in ('scheduled', 'queued')
    returning id
)
select pg_notify('affirm_jobs', '') from changed
