-- The runs of a job, in order. Called by jobs show and jobs explain.
select epoch, launcher, owner, claimed_at, launched_at, launch_name, started_at, runner_uid, pod_name, node,
    lease_until, bytes_done, rows_done, committed_at, ended_at, cause, reason, error, outcome, evidence, decision,
    waits_for, waits_for_error,
    released_at
from runs where job_id = %(job_id)s order by epoch
