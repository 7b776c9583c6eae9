-- Ends a run before its pod is gone, with the cause that counts whatever is seen of the pod: no runner can take it, and
-- none that has taken it can commit any more. Its slot is freed by settle, when the pod is gone. No row: it has ended
-- or committed already; or a runner has taken it, where only one that none has taken is to end. Called by jobs cancel,
-- under the job's lock, and by rescue.
update runs set ended_at = clock_timestamp(), cause = %(cause)s, reason = %(reason)s, error = %(error)s,
    evidence = %(evidence)s
where job_id = %(job_id)s and epoch = %(epoch)s and ended_at is null and committed_at is null
    and (started_at is null or not %(only_unstarted)s)
returning true as ended
