-- Datasets, the newest first, each with what its rows are of. Called by datasets list and show and the summary of a load.
select datasets.id, countries.code as country, filename, status, row_count, total_count, parser, measure, region, top,
    covered.years, covered.sexes, supersedes, covered.superseded_by, covered.superseded,
    year_hint, sex_hint, size, sha256, storage_uri, error, datasets.created_at, loaded_at
from datasets join countries on countries.id = datasets.country_id
cross join lateral (
    select coalesce(array_agg(distinct year order by year), '{}') as years,
        coalesce(array_agg(distinct gender::text order by gender::text), '{}') as sexes,
        coalesce(array_agg(distinct other.id) filter (where other.id is not null), '{}') as superseded_by,
        coalesce(bool_and(superseded_by is not null), false) as superseded
    from coverage left join datasets other on other.key = coverage.superseded_by
    where coverage.dataset_key = datasets.key
) covered
where (%(status)s::text is null or status = %(status)s)
    and (%(country)s::text is null or countries.code = %(country)s)
    and (%(ids)s::uuid[] is null or datasets.id = any (%(ids)s))
order by datasets.created_at desc, datasets.key desc
limit %(limit)s
