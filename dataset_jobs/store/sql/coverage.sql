-- Which dataset counts for which year and sex. The first five statements are part of the load's transaction, in this
-- order. Clients ask the last two before they replace, load again or delete a dataset.

-- name: coverage.uncover
-- Frees what a dataset covered, or gives it to the dataset that counts in its place. `datasets delete` uses it too.
with gone as (
    delete from coverage where dataset_key = %(dataset_key)s returning year, gender, superseded_by
)
update coverage set superseded_by = gone.superseded_by
from gone
where coverage.superseded_by = %(dataset_key)s and coverage.year = gone.year and coverage.gender = gone.gender

-- name: coverage.supersede
-- Takes the place of the datasets that this one was submitted to replace, as far as both cover the same.
update coverage set superseded_by = %(dataset_key)s
from datasets, unnest(%(years)s::smallint[], %(genders)s::text[]) as covered (year, gender)
where datasets.id = any (%(supersedes)s::uuid[]) and coverage.dataset_key = datasets.key
    and coverage.superseded_by is null and coverage.country_id = %(country_id)s and coverage.measure = %(measure)s
    and coverage.region is not distinct from %(region)s::text
    and coverage.year = covered.year and coverage.gender = covered.gender::"char"

-- name: coverage.cover
-- Writes what the rows are of. It leaves out a year and sex that another dataset counts for, after waiting for a load
-- that is committing just now.
insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count)
select %(dataset_key)s, year, gender::"char", %(country_id)s, %(region)s::text, %(measure)s, row_count, total_count
from unnest(%(years)s::smallint[], %(genders)s::text[], %(row_counts)s::int[], %(total_counts)s::bigint[])
    as covered (year, gender, row_count, total_count)
order by year, gender
on conflict do nothing
returning year, gender::text as gender

-- name: coverage.overlapping
-- Lists the datasets that count for what a load covers, and whether they were submitted to replace it. Only asked if
-- `coverage.cover` left something out.
select coverage.year, coverage.gender::text as gender, datasets.key, datasets.id, datasets.filename,
    %(dataset_id)s = any (datasets.supersedes) as replaces_this
from coverage join datasets on datasets.key = coverage.dataset_key,
    unnest(%(years)s::smallint[], %(genders)s::text[]) as covered (year, gender)
where coverage.superseded_by is null and coverage.country_id = %(country_id)s and coverage.measure = %(measure)s
    and coverage.region is not distinct from %(region)s::text and coverage.dataset_key <> %(dataset_key)s
    and coverage.year = covered.year and coverage.gender = covered.gender::"char"
order by datasets.key, coverage.year, gender

-- name: coverage.cover_superseded
-- Writes what the rows are of where a dataset counts that was submitted to replace this one.
insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count, superseded_by)
select %(dataset_key)s, year, gender::"char", %(country_id)s, %(region)s::text, %(measure)s, row_count, total_count,
    superseded_by
from unnest(%(years)s::smallint[], %(genders)s::text[], %(row_counts)s::int[], %(total_counts)s::bigint[],
        %(holders)s::int[])
    as covered (year, gender, row_count, total_count, superseded_by)

-- name: coverage.superseded_by
-- The datasets that count in a dataset's place, and whether it still counts for anything. Called by submit, reprocess
-- and jobs retry.
select datasets.id, datasets.filename, exists (
        select from coverage where dataset_key = %(dataset_key)s and superseded_by is null) as partly
from datasets
where key in (select superseded_by from coverage where dataset_key = %(dataset_key)s)
order by key

-- name: coverage.twice_without
-- The datasets that would count for the same if the one were gone that counts in their place. Called by datasets
-- delete.
select datasets.id, datasets.filename from datasets
where key in (
    select old.dataset_key
    from coverage this join coverage old on old.superseded_by = this.dataset_key
        and old.year = this.year and old.gender = this.gender
    join coverage another on another.superseded_by = this.dataset_key
        and another.year = this.year and another.gender = this.gender and another.dataset_key <> old.dataset_key
    where this.dataset_key = %(dataset_key)s and this.superseded_by is null)
order by key
