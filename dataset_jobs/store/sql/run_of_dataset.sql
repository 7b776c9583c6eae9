-- The job whose run still holds a dataset, if there is one. Called by datasets delete, under the dataset's lock.
select jobs.id as job_id, jobs.lease_epoch as epoch
from jobs left join runs on runs.job_id = jobs.id and runs.released_at is null
where jobs.dataset_id = %(dataset_id)s and (runs.job_id is not null or jobs.state = 'running')
limit 1
