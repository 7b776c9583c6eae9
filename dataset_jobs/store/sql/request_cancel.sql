-- A running job is to be cancelled: the trigger wakes the controllers. Called by jobs cancel, under the job's lock.
update jobs set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()) where id = %(job_id)s
