-- The countries, and what is loaded of each.

-- name: countries.read
-- All countries, or one by its id or code, with what is loaded of each. What another dataset replaces does not count.
select
    countries.id,
    countries.code,
    countries.name,
    (
        select count(*) from datasets where datasets.country_id = countries.id
    )::int as dataset_count,
    counted.total_names,
    counted.first_year,
    counted.last_year
from countries
cross join lateral (
    select
        coalesce(sum(coverage.row_count), 0)::bigint as total_names,
        min(coverage.year) as first_year,
        max(coverage.year) as last_year
    from coverage
    where coverage.country_id = countries.id and coverage.superseded_by is null
) as counted
where
    (%(code)s::text is null or countries.code = %(code)s)
    and (%(id)s::uuid is null or countries.id = %(id)s)
order by countries.code

-- name: countries.names
-- All countries, without what is loaded of them.
select id, code, name from countries order by code
