-- Third statement of settle, fenced: only while the job is still this run's. What the decision makes of the job.
update jobs set
    state = %(state)s,
    run_at = clock_timestamp() + %(wait)s,
    attempts = attempts + %(attempts)s,
    interruptions = interruptions + %(interruptions)s,
    memory_doublings = memory_doublings + %(memory_doublings)s,
    give_backs = case when %(give_backs)s > 0 then give_backs + 1 else 0 end,
    blocked_since = case when %(give_backs)s > 0 then coalesce(blocked_since, clock_timestamp()) end,
    last_cause = %(cause)s,
    last_error = %(error)s,
    finished_at = case when %(state)s in ('failed', 'cancelled') then clock_timestamp() end
where id = %(job_id)s and lease_epoch = %(epoch)s and state = 'running'
returning run_at
