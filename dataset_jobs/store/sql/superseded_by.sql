-- The datasets that count in a dataset's place, and whether it still counts for anything. Called by submit, reprocess
-- and jobs retry.
select datasets.id, datasets.filename, exists (
        select from coverage where dataset_key = %(dataset_key)s and superseded_by is null) as partly
from datasets
where key in (select superseded_by from coverage where dataset_key = %(dataset_key)s)
order by key
