-- The countries, and what is loaded of each.

-- name: countries.read
-- All countries, or one by its id, with what is loaded of each. What another dataset replaces does not count.
with
counted as (
    select
        country_id,
        sum(row_count)::bigint as total_names,
        min(year) as first_year,
        max(year) as last_year
    from coverage
    where superseded_by is null and (%(id)s::uuid is null or country_id = %(id)s)
    group by country_id
),
there as (
    select country_id, count(*)::int as dataset_count
    from datasets
    where %(id)s::uuid is null or country_id = %(id)s
    group by country_id
)
select
    countries.id,
    countries.code,
    countries.name,
    coalesce(there.dataset_count, 0) as dataset_count,
    coalesce(counted.total_names, 0) as total_names,
    counted.first_year,
    counted.last_year
from countries
left join counted on counted.country_id = countries.id
left join there on there.country_id = countries.id
where %(id)s::uuid is null or countries.id = %(id)s
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

-- name: countries.names
-- Some countries by their codes, without what is loaded of them.
select id, code, name from countries where code = any (%(codes)s);
