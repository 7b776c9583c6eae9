-- The runner takes the run: only the first one does, and it may ask again. No row: the lease is lost.
update runs set started_at = coalesce(runs.started_at, clock_timestamp()), runner_uid = %(runner_uid)s,
    pod_name = %(pod_name)s, node = %(node)s, lease_until = clock_timestamp() + %(lease)s
from jobs, datasets, countries
where runs.job_id = %(job_id)s and runs.epoch = %(epoch)s
    and runs.ended_at is null and (runs.runner_uid is null or runs.runner_uid = %(runner_uid)s)
    and jobs.id = runs.job_id and jobs.state = 'running' and jobs.lease_epoch = runs.epoch
    and jobs.cancel_requested_at is null
    and datasets.id = jobs.dataset_id and countries.id = datasets.country_id
returning jobs.type as job_type, jobs.attempts + 1 as attempt,
    datasets.id as dataset_id, datasets.key as dataset_key, countries.code as country,
    datasets.country_id, datasets.filename,
    datasets.storage_uri, datasets.sha256, datasets.size, datasets.year_hint, datasets.sex_hint,
    datasets.supersedes
