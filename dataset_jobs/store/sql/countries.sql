-- The countries, and what is loaded of each. A change locks the country first.

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

-- name: countries.add
-- Adds a country. No row: there is one of the code.
insert into countries (code, name) values (%(code)s, %(name)s)
on conflict (code) do nothing
returning id

-- name: countries.lock
-- Locks a country, so that nothing new refers to it.
select id, code, name from countries where id = %(id)s for update

-- name: countries.uses
-- Whether datasets or schedules refer to a country: a statement of its own, which sees what came before the lock.
select
    exists (select from datasets where country_id = %(id)s) as datasets,
    exists (select from schedules where country_id = %(id)s) as schedules

-- name: countries.change
-- Gives a country another code or name. No row: another country has the code.
update countries set code = %(code)s, name = %(name)s
where id = %(id)s and not exists (select from countries other where other.code = %(code)s and other.id <> %(id)s)
returning id

-- name: countries.remove
-- Removes a country that nothing refers to.
delete from countries where id = %(id)s
