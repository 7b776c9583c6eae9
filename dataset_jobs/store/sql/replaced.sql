-- The datasets that a submission is to replace. Called by submit.
select datasets.id, datasets.key, datasets.filename, datasets.country_id, datasets.loaded_at is not null as loaded
from datasets where id = any (%(ids)s::uuid[])
