-- Which datasets count for what a load covers, and whether they were submitted to replace it. Called by the load, where
-- `cover` has left something out.
select coverage.year, coverage.gender::text as gender, datasets.key, datasets.id, datasets.filename,
    %(dataset_id)s = any (datasets.supersedes) as replaces_this
from coverage join datasets on datasets.key = coverage.dataset_key,
    unnest(%(years)s::smallint[], %(genders)s::text[]) as covered (year, gender)
where coverage.superseded_by is null and coverage.country_id = %(country_id)s and coverage.measure = %(measure)s
    and coverage.region is not distinct from %(region)s::text and coverage.dataset_key <> %(dataset_key)s
    and coverage.year = covered.year and coverage.gender = covered.gender::"char"
order by datasets.key, coverage.year, gender
