-- Second statement of whatever changes an existing dataset for a client: the dataset under lock.
select id, key, filename, year_hint, sex_hint, supersedes, status, storage_uri, row_count, loaded_at,
    loaded_at is not null as loaded
from datasets where id = %(dataset_id)s
for update
