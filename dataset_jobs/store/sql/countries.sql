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
order by countries.code;

-- name: countries.add
-- Adds a country. No row: there is one of that code.
insert into countries (code, name) values (%(code)s, %(name)s) on conflict (code) do nothing returning id;

-- name: countries.rename
-- Gives a country another name.
update countries set name = %(name)s where id = %(id)s returning code;

-- name: countries.remove
-- Removes a country to which nothing belongs. The database refuses one that has datasets or schedules.
delete from countries where id = %(id)s returning code;
