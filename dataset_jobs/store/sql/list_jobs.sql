-- Jobs, the newest first, each with how far its latest run is. Called by jobs list, show, explain
-- and the summary of a load.
select jobs.id, jobs.dataset_id, countries.code as country, datasets.filename, jobs.type, jobs.pool, jobs.priority,
    jobs.state, jobs.attempts, jobs.interruptions, jobs.give_backs, jobs.run_at, jobs.created_at, jobs.finished_at,
    jobs.cancel_requested_at, jobs.blocked_since, jobs.retried_at,
    jobs.last_cause, jobs.last_error, datasets.size, runs.bytes_done, runs.rows_done
from jobs join datasets on datasets.id = jobs.dataset_id join countries on countries.id = datasets.country_id
    left join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where (%(state)s::text is null or jobs.state = %(state)s)
    and (%(dataset_id)s::uuid is null or jobs.dataset_id = %(dataset_id)s)
    and (%(ids)s::uuid[] is null or jobs.id = any (%(ids)s))
order by jobs.created_at desc, jobs.key desc
limit %(limit)s
