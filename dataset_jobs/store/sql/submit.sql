-- A client submits a file. The first four statements look, each in a transaction of its own. A new dataset is then
-- inserted with its job, `jobs.insert`, in one transaction. For a known dataset without rows, `submit.correct_dataset`
-- follows the locks of datasets.sql in one transaction, with `jobs.insert` if no job is unfinished. For one that is
-- loaded and whose file is lost, it is `submit.restore_file`.

-- name: submit.find_country
-- Finds the country of an ISO code.
select id from countries where code = %(code)s

-- name: submit.list_countries
-- Lists all countries, to suggest some if a code is unknown.
select code, name from countries order by code

-- name: submit.find_dataset
-- Finds the dataset that these bytes already are, without a lock; `datasets.lock` reads it again before anything is
-- decided.
select id from datasets where country_id = %(country_id)s and sha256 = %(sha256)s

-- name: submit.replaced
-- Lists the datasets that a submission is to replace.
select datasets.id, datasets.key, datasets.filename, datasets.country_id, datasets.loaded_at is not null as loaded
from datasets where id = any (%(ids)s::uuid[])

-- name: submit.insert_dataset
-- Inserts a dataset. No row: somebody submitted the same bytes in the meantime.
insert into datasets (id, country_id, filename, storage_uri, sha256, size, year_hint, sex_hint,
    format_hint, region_hint, description, supersedes, batch)
values (%(dataset_id)s, %(country_id)s, %(filename)s, %(storage_uri)s, %(sha256)s, %(size)s, %(year_hint)s,
    %(sex_hint)s, %(format_hint)s, %(region_hint)s, %(description)s, %(supersedes)s::uuid[], %(batch)s)
on conflict (country_id, sha256) do nothing
returning id

-- name: submit.correct_dataset
-- Changes the name, the hints or the datasets to replace of a dataset that has no rows yet.
update datasets set filename = %(filename)s, year_hint = %(year_hint)s, sex_hint = %(sex_hint)s,
    format_hint = %(format_hint)s, region_hint = %(region_hint)s, description = %(description)s,
    supersedes = %(supersedes)s::uuid[], storage_uri = %(storage_uri)s, updated_at = clock_timestamp()
where id = %(dataset_id)s and status in ('pending', 'failed')

-- name: submit.set_batch
-- Puts a dataset among the files that somebody submits together now.
update datasets set batch = %(batch)s where id = %(dataset_id)s

-- name: submit.restore_file
-- Names the place of a loaded dataset's file, which was lost and is stored again: mostly the old one.
update datasets set storage_uri = %(storage_uri)s, updated_at = clock_timestamp() where id = %(dataset_id)s
