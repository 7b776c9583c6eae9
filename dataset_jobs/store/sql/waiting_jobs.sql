-- The jobs that wait for a later time, the next one first. Called by run --until-idle, when it ends.
select jobs.id, jobs.dataset_id, datasets.filename, jobs.type, jobs.attempts, jobs.run_at, jobs.last_error,
    jobs.last_cause, (select reason from runs where job_id = jobs.id order by epoch desc limit 1) as last_reason
from jobs join datasets on datasets.id = jobs.dataset_id
where jobs.pool = %(pool)s and jobs.state = 'scheduled'
order by jobs.run_at
