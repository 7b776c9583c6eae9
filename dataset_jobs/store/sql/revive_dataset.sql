-- A failed dataset is pending again; any other is left as it is. Called by reprocess.
update datasets set status = 'pending', updated_at = clock_timestamp() where id = %(dataset_id)s and status = 'failed'
