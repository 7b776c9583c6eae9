-- Part of the load's commit: the run has committed. Its end and the release of its slot are for settle.
update runs set committed_at = clock_timestamp(), bytes_done = %(bytes)s, rows_done = %(rows)s, outcome = %(outcome)s
where job_id = %(job_id)s and epoch = %(epoch)s
