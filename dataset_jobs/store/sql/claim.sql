-- The controller claims jobs: one transaction, statement by statement in this order. The first one locks the pool's
-- row, so claims from a pool go one after the other, and the count sees what earlier claims did. `claim.probe` follows
-- only if the pool is blocked.

-- name: claim.lock_pool
-- Locks the pool's row, so that claims of a pool go one after the other.
select max_running, desired, max_pending, paused, blocked_since is not null as blocked, probes,
    probe_at <= clock_timestamp() as probe_due
from pools where name = %(pool)s for no key update

-- name: claim.promote
-- Queues jobs that are due, a batch at a time.
update jobs set state = 'queued'
where id = any (array(
    select id from jobs
    where pool = %(pool)s and state = 'scheduled' and run_at <= now()
    order by run_at
    limit %(batch)s
    for no key update skip locked))

-- name: claim.count_held
-- Counts the slots in use. A statement of its own, so that it sees what the claims before it did. A starting run is
-- unstarted and lacks something else than room in the cluster, or nothing.
select count(*) as unreleased,
    count(*) filter (where started_at is null and ended_at is null) as unstarted,
    count(*) filter (where started_at is null and ended_at is null and waits_for is distinct from 'unschedulable')
        as starting
from runs where pool = %(pool)s and released_at is null

-- name: claim.pick
-- Raises the epoch, sets job and dataset running, and inserts the runs.
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
select picked.id as job_id, lease_epoch as epoch, dataset_id, filename, type, attempts, interruptions, memory_doublings,
    clock_timestamp() - run_at as waited, run_secret(picked.id, lease_epoch) as secret
from picked join datasets on datasets.id = dataset_id order by priority desc, run_at, picked.key

-- name: claim.probe
-- Counts a probe of a blocked pool, and sets the time of the next one.
update pools set probes = probes + 1, probe_at = clock_timestamp() + %(wait)s where name = %(pool)s
