-- Ends a run that no runner has taken, before its pod is removed: what it ended of is kept, and no runner can take it
-- any more. Its slot is freed by settle, when the pod is gone. No row: a runner has taken it after all. Called by rescue.
update runs set ended_at = clock_timestamp(), cause = %(cause)s, reason = %(reason)s, error = %(error)s,
    evidence = %(evidence)s
where job_id = %(job_id)s and epoch = %(epoch)s and started_at is null and ended_at is null
returning true as ended
