-- Removes a batch of jobs that finished long ago, with their runs; none of which a run still holds a slot. Called by
-- jobs purge, and by controllers every minute.
delete from jobs where id = any (array(
    select id from jobs
    where (%(pool)s::text is null or pool = %(pool)s)
        and finished_at < clock_timestamp() - %(older_than)s and state = any (%(states)s::text[])
        and not exists (select from runs where runs.job_id = jobs.id and runs.released_at is null)
    order by finished_at
    limit %(batch)s
    for update skip locked))
returning id
