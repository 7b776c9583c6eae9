-- Part of the load's commit: the job is completed.
update jobs set state = 'completed', finished_at = clock_timestamp(), last_cause = null, last_error = null
where id = %(job_id)s
