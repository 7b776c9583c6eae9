-- Datasets, the newest first. Called by datasets list and the summary of a load.
select datasets.id, countries.code as country, filename, status, row_count, total_count, parser, measure, region,
    year_hint, sex_hint, size, sha256, storage_uri, error, datasets.created_at, loaded_at
from datasets join countries on countries.id = datasets.country_id
where (%(status)s::text is null or status = %(status)s)
    and (%(country)s::text is null or countries.code = %(country)s)
    and (%(ids)s::uuid[] is null or datasets.id = any (%(ids)s))
order by datasets.created_at desc, datasets.key desc
limit %(limit)s
