-- What the runner says of a run that did not commit; settle makes the decision.
update runs set outcome = %(outcome)s
where job_id = %(job_id)s and epoch = %(epoch)s and runner_uid = %(runner_uid)s
    and ended_at is null and committed_at is null
