-- Fourth statement of settle: the dataset rests; with rows it stays completed, whatever became of the reprocess.
update datasets set
    status = case when loaded_at is not null then 'completed' when %(failed)s then 'failed' else 'pending' end,
    error = coalesce(%(error)s, error),
    updated_at = clock_timestamp()
where id = %(dataset_id)s
