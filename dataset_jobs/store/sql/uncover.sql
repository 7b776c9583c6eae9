-- What a dataset covered is free again, or goes to the dataset that counts in its place. Part of the load's commit,
-- before it covers what its new rows are of; and of datasets delete.
with gone as (
    delete from coverage where dataset_key = %(dataset_key)s returning year, gender, superseded_by
)
update coverage set superseded_by = gone.superseded_by
from gone
where coverage.superseded_by = %(dataset_key)s and coverage.year = gone.year and coverage.gender = gone.gender
