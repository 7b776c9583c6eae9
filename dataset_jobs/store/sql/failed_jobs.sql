-- The dead letters that may be tried again: failed, and the latest job of their dataset. Called by jobs retry --failed.
select id from jobs
where state = 'failed' and (%(cause)s::text is null or last_cause = %(cause)s)
    and not exists (select from jobs later where later.dataset_id = jobs.dataset_id and later.key > jobs.key)
order by finished_at
