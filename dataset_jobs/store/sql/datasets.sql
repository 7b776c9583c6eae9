-- Clients change and list datasets. Each change is one transaction that begins with the first three statements: jobs
-- before the dataset, the order in which everybody locks them.

-- name: datasets.lock_jobs
-- Locks all jobs of the dataset.
select id from jobs where dataset_id = %(dataset_id)s order by key for update

-- name: datasets.lock
-- Locks the dataset.
select id, key, filename, sha256, year_hint, sex_hint, format_hint, region_hint, description, supersedes, status, storage_uri,
    row_count, loaded_at, parser, region, error,
    loaded_at is not null as loaded,
    array(select distinct year from coverage where dataset_key = datasets.key order by year) as years,
    array(select distinct gender::text from coverage where dataset_key = datasets.key order by 1) as sexes
from datasets where id = %(dataset_id)s
for update

-- name: datasets.jobs
-- Lists the jobs again, in a statement of its own that sees what others committed before the dataset's lock was free.
-- Begin again if one of them is not locked yet.
select id, state from jobs where dataset_id = %(dataset_id)s order by key

-- name: datasets.facts
-- Reads, without a lock, what decides whether the dataset's jobs may be retried, and whether it may be loaded again.
-- Called by jobs explain, which offers nothing that would be refused.
select id, key, filename, loaded_at is not null as loaded, loaded_at,
    (select jobs.id from jobs
        where jobs.dataset_id = datasets.id and jobs.state not in ('completed', 'failed', 'cancelled')
        limit 1) as unfinished_job
from datasets where id = %(dataset_id)s

-- name: datasets.revive
-- Makes a failed dataset pending again. Called by submit, reprocess and jobs retry.
select revive_dataset(%(dataset_id)s)

-- name: datasets.holding_run
-- Finds the job whose run still holds a dataset, if there is one. Called by datasets delete.
select jobs.id as job_id, jobs.lease_epoch as epoch
from jobs left join runs on runs.job_id = jobs.id and runs.released_at is null
where jobs.dataset_id = %(dataset_id)s and (runs.job_id is not null or jobs.state = 'running')
limit 1

-- name: datasets.delete
-- Deletes the dataset, with its rows, its jobs and their runs; those that it superseded count again.
select delete_dataset(%(dataset_id)s)

-- name: datasets.match
-- Finds the datasets of a list, the newest first, from a key downwards. Called by datasets list, to count, and by jobs
-- list for those of a file's name.
select datasets.id, datasets.key
from datasets
where (%(before)s::int is null or datasets.key < %(before)s)
    and (%(status)s::text is null or datasets.status = %(status)s)
    and (%(statuses)s::text[] is null or datasets.status = any (%(statuses)s))
    and (%(country_id)s::uuid is null or datasets.country_id = %(country_id)s)
    and (%(at)s::timestamptz is null or datasets.created_at >= %(at)s::timestamptz)
    and (%(ago)s::interval is null or datasets.created_at >= clock_timestamp() - %(ago)s::interval)
    and (%(until)s::timestamptz is null or datasets.created_at <= %(until)s::timestamptz)
    and (%(sha256)s::text is null or datasets.sha256 = %(sha256)s)
    and (%(measure)s::text is null or datasets.measure = %(measure)s)
    and (%(region)s::text is null or datasets.region = %(region)s)
    and (%(batch)s::text is null or datasets.batch = %(batch)s)
    -- An array, and not a join: so an index finds these keys.
    and (%(year)s::int is null
        or datasets.key = any (array(select dataset_key from coverage where coverage.year = %(year)s)))
    and (%(superseded)s::bool is distinct from true
        or datasets.key = any (array(select dataset_key from coverage where superseded_by is not null)))
    and (%(superseded)s::bool is null or %(superseded)s = (
        exists (select from coverage where dataset_key = datasets.key)
        and not exists (select from coverage where dataset_key = datasets.key and superseded_by is null)))
    and (%(from_dataset)s::int is null or datasets.key >= %(from_dataset)s)
    and (%(file)s::text is null or lower(datasets.filename) like %(file)s)
order by datasets.key desc
limit %(limit)s

-- name: datasets.first_of_newest
-- The key from which on there are at most so many datasets.
select max(key) - %(newest)s + 1 as key from datasets

-- name: datasets.list
-- Reads datasets as clients see them, the newest first, each with the years and sexes of its rows. Called by datasets
-- list and show and the summary of a load.
select datasets.id, countries.code as country, filename, status, row_count, total_count, parser, measure, region, top,
    covered.years, covered.sexes, supersedes, covered.superseded_by, covered.superseded,
    year_hint, sex_hint, format_hint, region_hint, description, size, sha256, storage_uri, error, warning,
    datasets.created_at, loaded_at, datasets.key as number, batch
from datasets join countries on countries.id = datasets.country_id
cross join lateral (
    select coalesce(array_agg(distinct year order by year), '{}') as years,
        coalesce(array_agg(distinct gender::text order by gender::text), '{}') as sexes,
        coalesce(array_agg(distinct other.id) filter (where other.id is not null), '{}') as superseded_by,
        coalesce(bool_and(superseded_by is not null), false) as superseded
    from coverage left join datasets other on other.key = coverage.superseded_by
    where coverage.dataset_key = datasets.key
) covered
where datasets.id = any (%(ids)s::uuid[])
order by datasets.key desc

-- name: datasets.known
-- Finds the datasets of a country that have one of these hashes, each with its unfinished job. Called by uploads, to move
-- nothing twice.
select datasets.sha256, datasets.id as dataset_id, datasets.status, jobs.id as job_id
from datasets left join jobs on jobs.dataset_id = datasets.id and jobs.state in ('scheduled', 'queued', 'running')
where datasets.country_id = %(country_id)s and datasets.sha256 = any (%(hashes)s)

-- name: datasets.there
-- Finds which of these datasets there are. Called by datasets clean.
select id from datasets where id = any (%(ids)s::uuid[])

-- name: datasets.reports
-- Reads the reports of the loads whose rows are there: what was stored beside the rows, and their totals.
select datasets.id, filename, countries.code as country, parser, measure, region, top, report, covered.totals
from datasets join countries on countries.id = datasets.country_id
cross join lateral (
    select json_agg(json_build_array(year, gender, row_count, total_count) order by year, gender) as totals
    from coverage where coverage.dataset_key = datasets.key
) covered
where datasets.id = any (%(ids)s) and loaded_at is not null

-- name: datasets.most_frequent
-- Lists the most frequent names of a dataset in a year, to show a person what was loaded.
select names.gender::text as sex, names.name, names.count
from names join datasets on datasets.key = names.dataset_key
where datasets.id = %(dataset_id)s and names.year = %(year)s
order by names.count desc, names.name
limit %(limit)s

-- name: datasets.ids
-- Lists datasets whose id lies in a range: those that begin with the digits that a person typed.
select id from datasets where id between %(first)s and %(last)s order by id limit 3
