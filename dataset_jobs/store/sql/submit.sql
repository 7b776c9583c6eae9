-- A client submits a file. The first four statements look, each in a transaction of its own. A new dataset is then
-- inserted with its job, `jobs.insert`, in one transaction. For a known dataset without rows, `submit.correct_dataset`
-- follows the locks of datasets.sql in one transaction, with `jobs.insert` if no job is unfinished.

-- name: submit.find_country
-- The country of an ISO code. Called by submit.
select id from countries where code = %(code)s

-- name: submit.list_countries
-- All countries, for the suggestions where a code is unknown. Called by submit.
select code, name from countries order by code

-- name: submit.find_dataset
-- The dataset that these bytes already are; without a lock, what is decided on is read under lock, by `datasets.lock`.
-- Called by submit.
select id from datasets where country_id = %(country_id)s and sha256 = %(sha256)s

-- name: submit.replaced
-- The datasets that a submission is to replace. Called by submit.
select datasets.id, datasets.key, datasets.filename, datasets.country_id, datasets.loaded_at is not null as loaded
from datasets where id = any (%(ids)s::uuid[])

-- name: submit.insert_dataset
-- A new dataset; no row where somebody submitted the same bytes in the meantime. Called by submit.
insert into datasets (id, country_id, filename, storage_uri, sha256, size, year_hint, sex_hint, supersedes)
values (%(dataset_id)s, %(country_id)s, %(filename)s, %(storage_uri)s, %(sha256)s, %(size)s, %(year_hint)s,
    %(sex_hint)s, %(supersedes)s::uuid[])
on conflict (country_id, sha256) do nothing
returning id

-- name: submit.correct_dataset
-- Another name, year or sex, or another dataset to replace, for a dataset that has no rows yet, and a fresh start if it
-- had failed. Called by submit.
update datasets set filename = %(filename)s, year_hint = %(year_hint)s, sex_hint = %(sex_hint)s,
    supersedes = %(supersedes)s::uuid[], storage_uri = %(storage_uri)s, status = 'pending',
    updated_at = clock_timestamp()
where id = %(dataset_id)s and status in ('pending', 'failed')
