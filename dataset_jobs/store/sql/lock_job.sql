-- The job under lock. Called by jobs cancel, first of all, and by jobs retry. The runner's commit locks it too, so that of a
-- commit and a cancel the first one wins.
select id, dataset_id, type, state, lease_epoch, finished_at, last_cause from jobs where id = %(job_id)s for update
