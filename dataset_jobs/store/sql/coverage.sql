-- Which dataset counts for which year and sex. Loads write it, by the functions of the migrations. Clients ask before
-- they replace, load again or delete a dataset.

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

-- name: coverage.counting
-- The datasets that count for some years and sexes of a country, other than the one of these bytes and those that were
-- submitted to replace it. Called to validate a file; a load decides by `cover`, of the migrations.
select datasets.id, datasets.filename, coverage.year, coverage.gender::text as sex
from coverage join datasets on datasets.key = coverage.dataset_key
join unnest(%(years)s::int[], %(sexes)s::text[]) as asked (year, sex)
    on asked.year = coverage.year and asked.sex = coverage.gender::text
where coverage.superseded_by is null and coverage.country_id = %(country_id)s and coverage.measure = %(measure)s
    and coverage.region is not distinct from %(region)s and datasets.sha256 <> %(sha256)s
    and not exists (
        select from datasets this
        where this.country_id = %(country_id)s and this.sha256 = %(sha256)s and this.id = any (datasets.supersedes))
order by datasets.key, coverage.year, sex

-- name: coverage.counting_without
-- For each year and sex for which a dataset counts, the one that would count again if it were gone; null if none would.
-- Called before datasets are deleted, to say what would come of it.
select this.year, this.gender::text as sex, datasets.id, datasets.key as number, datasets.filename
from coverage this
    left join coverage old on old.superseded_by = this.dataset_key and old.year = this.year and old.gender = this.gender
    left join datasets on datasets.key = old.dataset_key
where this.dataset_key = %(dataset_key)s and this.superseded_by is null
order by datasets.key nulls last, this.year, sex

-- name: coverage.of_dataset
-- What a dataset covers, and for each year and sex the dataset that counts in its place. Called to show a dataset.
select coverage.year, coverage.gender::text as gender, coverage.row_count as rows, coverage.total_count as total,
    other.id as superseded_by
from datasets join coverage on coverage.dataset_key = datasets.key
    left join datasets other on other.key = coverage.superseded_by
where datasets.id = %(dataset_id)s
order by coverage.year, gender
