-- First statement of whatever changes an existing dataset for a client: jobs before datasets, the order in which
-- everybody locks them.
select id from jobs where dataset_id = %(dataset_id)s order by key for update
