-- Ends the load transactions of a job's runs up to an epoch; how many there still were. Called by settle, again until
-- it says 0.
select terminate_runners(%(job_id)s, %(epoch)s) as still_loading
