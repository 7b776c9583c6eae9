-- Last statement of the claim: raises the epoch, sets job and dataset running, and inserts the runs.
with picked as (
    update jobs set state = 'running', lease_epoch = lease_epoch + 1
    where id = any (array(
        select id from jobs
        where pool = %(pool)s and state = 'queued' and cancel_requested_at is null
        order by priority desc, run_at, key
        limit %(limit)s
        for no key update skip locked))
    returning id, key, dataset_id, type, lease_epoch, attempts, interruptions, memory_doublings, priority, run_at
), datasets_running as (
    update datasets set
        status = case when loaded_at is null then 'processing' else 'reprocessing' end,
        updated_at = now()
    from picked where datasets.id = picked.dataset_id
), inserted as (
    insert into runs (job_id, epoch, pool, launcher, owner, lease_until)
    select id, lease_epoch, %(pool)s, %(launcher)s, %(owner)s, clock_timestamp() + %(lease)s from picked
)
select id as job_id, lease_epoch as epoch, dataset_id, type, attempts, interruptions, memory_doublings,
    clock_timestamp() - run_at as waited
from picked order by priority desc, run_at, key
