-- Third statement of whatever changes an existing dataset for a client, one of its own so that it sees what was
-- committed while the dataset's lock was waited for: a job that is not locked yet means to begin again.
select id, state from jobs where dataset_id = %(dataset_id)s order by key
