-- Jobs of which no run can start, by what keeps them; one of each as an example. Called by status.
select pool, last_cause as cause, last_error as error, count(*) as jobs, min(blocked_since) as since,
    min(run_at) as next_try, (array_agg(id order by blocked_since))[1] as job_id
from jobs where blocked_since is not null and state in ('scheduled', 'queued', 'running')
group by pool, last_cause, last_error order by min(blocked_since)
