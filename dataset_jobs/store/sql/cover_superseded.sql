-- Part of the load's commit: what it covers where a dataset counts that was submitted to replace it.
insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count, superseded_by)
select %(dataset_key)s, year, gender::"char", %(country_id)s, %(region)s::text, %(measure)s, row_count, total_count,
    superseded_by
from unnest(%(years)s::smallint[], %(genders)s::text[], %(row_counts)s::int[], %(total_counts)s::bigint[],
        %(holders)s::int[])
    as covered (year, gender, row_count, total_count, superseded_by)
