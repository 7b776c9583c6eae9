-- A new dataset; no row where somebody submitted the same bytes in the meantime. Called by submit.
insert into datasets (id, country_id, filename, storage_uri, sha256, size, year_hint, sex_hint, supersedes)
values (%(dataset_id)s, %(country_id)s, %(filename)s, %(storage_uri)s, %(sha256)s, %(size)s, %(year_hint)s,
    %(sex_hint)s, %(supersedes)s::uuid[])
on conflict (country_id, sha256) do nothing
returning id
