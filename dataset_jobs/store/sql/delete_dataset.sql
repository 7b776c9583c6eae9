-- The dataset, with its jobs and their runs. Its rows went before, in the same transaction. Called by datasets delete.
delete from datasets where id = %(dataset_id)s
