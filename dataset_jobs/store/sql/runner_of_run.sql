-- The runner that has taken a run. Called by settle, before it ends that one's load.
select runner_uid from runs where job_id = %(job_id)s and epoch = %(epoch)s
