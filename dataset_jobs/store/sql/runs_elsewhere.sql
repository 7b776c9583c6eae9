-- The children of other process controllers that hold slots of these pools, and when they and their controllers were
-- last heard of. Called by a controller that ends when nothing is left to do.
select runs.owner, count(*) as runs, min(datasets.filename) as filename,
    clock_timestamp() - controllers.seen_at as controller_silent_for,
    clock_timestamp() + %(lease)s - max(runs.lease_until) as silent_for,
    max(runs.lease_until) - clock_timestamp() as lease_left
from runs join jobs on jobs.id = runs.job_id join datasets on datasets.id = jobs.dataset_id
    left join controllers on controllers.owner = runs.owner
where runs.pool = any (%(pools)s) and runs.released_at is null and runs.launcher = 'process'
    and runs.owner <> %(owner)s
group by runs.owner, controllers.seen_at order by runs.owner
