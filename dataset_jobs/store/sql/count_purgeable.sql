-- What jobs purge would remove.
select state, count(*) from jobs
where finished_at < clock_timestamp() - %(older_than)s and state = any (%(states)s::text[])
    and not exists (select from runs where runs.job_id = jobs.id and runs.released_at is null)
group by state order by state
