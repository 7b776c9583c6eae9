-- Why a pod has not started, as it is seen now, or why it is not known to be there; null if nothing is in its way any
-- more. Called by observe, and by launch.
update runs set waits_for = %(reason)s, waits_for_error = %(error)s
where job_id = %(job_id)s and epoch = %(epoch)s and started_at is null and released_at is null
