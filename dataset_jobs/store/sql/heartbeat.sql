-- The runner renews its lease and says how far it is. No row: the lease is lost, or a cancel was asked for.
update runs set lease_until = clock_timestamp() + %(lease)s, bytes_done = %(bytes)s, rows_done = %(rows)s
where job_id = %(job_id)s and epoch = %(epoch)s and runner_uid = %(runner_uid)s and ended_at is null
    and exists (select from jobs where id = %(job_id)s and lease_epoch = %(epoch)s and state = 'running'
                and cancel_requested_at is null)
returning true as held
