-- Part of the load's commit: the dataset is completed, and says what it holds.
update datasets set status = 'completed', loaded_at = clock_timestamp(), row_count = %(rows)s,
    total_count = %(total)s, parser = %(parser)s, region = %(region)s, measure = %(measure)s, top = %(top)s,
    error = null, updated_at = clock_timestamp()
where id = %(dataset_id)s
