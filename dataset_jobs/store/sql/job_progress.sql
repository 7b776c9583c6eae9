-- How far some jobs are, in one row. Called by the progress display.
select count(*) filter (where jobs.state = 'completed') as completed,
    count(*) filter (where jobs.state = 'failed') as failed,
    count(*) filter (where jobs.state = 'cancelled') as cancelled,
    count(*) filter (where jobs.state = 'running') as running,
    count(*) filter (where jobs.state = 'scheduled') as waiting,
    coalesce(sum(datasets.size) filter (where jobs.finished_at is not null), 0)::bigint
        + coalesce(sum(runs.bytes_done) filter (where jobs.finished_at is null), 0)::bigint as bytes_done,
    coalesce(sum(runs.rows_done) filter (where jobs.state in ('running', 'completed')), 0)::bigint as rows_done,
    coalesce((array_agg(datasets.filename order by runs.claimed_at) filter (where jobs.state = 'running'))[:8], '{}')
        as running_files
from jobs join datasets on datasets.id = jobs.dataset_id
    left join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where jobs.id = any (%(ids)s::uuid[])
