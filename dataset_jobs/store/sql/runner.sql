-- A runner's statements outside its load, in the order of its life. Each is a transaction of its own, except that a
-- load asks `runner.why_not_taken` before it gives up.

-- name: runner.take
-- The runner takes the run. Only the first runner can; it may ask again. No row: the lease is lost.
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
    datasets.format_hint, datasets.region_hint, datasets.description, datasets.supersedes

-- name: runner.why_not_taken
-- Reads why the runner could not take the run, or lost it.
select jobs.state, jobs.lease_epoch, runs.runner_uid, runs.ended_at is not null as ended, runs.cause,
    jobs.cancel_requested_at is not null as cancel_requested
from jobs left join runs on runs.job_id = jobs.id and runs.epoch = %(epoch)s
where jobs.id = %(job_id)s

-- name: runner.end_earlier_loads
-- Ends the loads of this job's earlier epochs, and of ended jobs of the same dataset: this run's load would wait for
-- their locks. Returns how many there still were; the runner asks again until there are none.
select coalesce(sum(terminate_runners(jobs.id, case when jobs.id = %(job_id)s then %(epoch)s - 1 else 2147483647 end)),
    0)::bigint as still_loading
from jobs join jobs this on this.dataset_id = jobs.dataset_id
where this.id = %(job_id)s and (jobs.id = this.id or jobs.state in ('failed', 'cancelled'))

-- name: runner.heartbeat
-- Renews the lease, and records the progress and the log if it has changed. No row: the lease is lost, or a client asked for a cancel.
update runs set lease_until = clock_timestamp() + %(lease)s, bytes_done = %(bytes)s, rows_done = %(rows)s,
    log = coalesce(%(log)s::jsonb, log)
where job_id = %(job_id)s and epoch = %(epoch)s and runner_uid = %(runner_uid)s and ended_at is null
    and exists (select from jobs where id = %(job_id)s and lease_epoch = %(epoch)s and state = 'running'
                and cancel_requested_at is null)
returning true as held

-- name: runner.record_outcome
-- Records what a runner reports of a run that did not commit; settle decides.
update runs set outcome = %(outcome)s, log = coalesce(%(log)s::jsonb, log)
where job_id = %(job_id)s and epoch = %(epoch)s and runner_uid = %(runner_uid)s
    and ended_at is null and committed_at is null

-- name: runner.has_committed
-- Did this run commit? Asked by a runner whose connection broke while it committed.
select committed_at is not null as committed from runs where job_id = %(job_id)s and epoch = %(epoch)s

-- name: runner.sexes_of
-- Counts a list's names by sex in the rows of other datasets of the country, in the 20 lists of the nearest years. Asked
-- before a load, if the sex stands only in the file's name or was given.
select names.name, coalesce(sum(names.count) filter (where names.gender = 'F'), 0)::bigint as female,
    coalesce(sum(names.count) filter (where names.gender = 'M'), 0)::bigint as male
from (
    select dataset_key, year, gender from coverage
    where country_id = %(country_id)s and dataset_key <> %(dataset_key)s and superseded_by is null
    order by abs(year - %(year)s), dataset_key, gender limit 20
) lists
join names on names.dataset_key = lists.dataset_key and names.year = lists.year and names.gender = lists.gender
    and names.name = any (%(names)s)
group by names.name
