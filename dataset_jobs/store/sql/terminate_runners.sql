-- Ends the load transactions of a job's runs up to an epoch; how many there still were. Called by settle, again until
-- it says 0.
select terminate_runners(key, %(epoch)s) as still_loading from jobs where id = %(job_id)s
