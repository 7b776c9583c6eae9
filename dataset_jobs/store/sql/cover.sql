-- Part of the load's commit: what its rows are of. A year and sex that another dataset counts for is left out, after
-- waiting for a load that is committing just now.
insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count)
select %(dataset_key)s, year, gender::"char", %(country_id)s, %(region)s::text, %(measure)s, row_count, total_count
from unnest(%(years)s::smallint[], %(genders)s::text[], %(row_counts)s::int[], %(total_counts)s::bigint[])
    as covered (year, gender, row_count, total_count)
order by year, gender
on conflict do nothing
returning year, gender::text as gender
