-- A dead letter is queued again with fresh budgets; its runs stay, and its epoch goes on from where it is. The trigger
-- on cancel_requested_at wakes the controllers. Called by jobs retry, under the locks of job and dataset.
update jobs set state = 'queued', run_at = clock_timestamp(), finished_at = null, cancel_requested_at = null,
    attempts = 0, interruptions = 0, give_backs = 0, blocked_since = null, last_cause = null, last_error = null,
    retried_at = retried_at || clock_timestamp(),
    priority = coalesce(%(priority)s, priority)
where id = %(job_id)s and state in ('failed', 'cancelled')
