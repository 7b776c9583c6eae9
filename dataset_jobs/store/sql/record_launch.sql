-- The launcher has answered for good: the run has a name there. Called by launch, and again after an adoption.
update runs set launched_at = coalesce(launched_at, clock_timestamp()), launch_name = %(launch_name)s
where job_id = %(job_id)s and epoch = %(epoch)s and released_at is null
returning launched_at - claimed_at as after
