-- Whose job it is; read without a lock, since a job never changes its dataset. Called by jobs retry.
select dataset_id from jobs where id = %(job_id)s
