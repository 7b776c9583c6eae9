-- A circuit breaker for each pool: a blocked pool (open) gives one probe at a time (half-open) until a run shows that
-- the trouble is over (closed). Each statement is a transaction of its own.

-- name: blocks.block_pool
-- Blocks a pool because a run of it cannot start: claims take only probes from now on. Not if the trouble is the run's
-- own: another run has started since it was claimed or, if started runs are in trouble too, has done its work. No row:
-- nothing has changed. Called by settle and observe.
with this as (
    select pool, claimed_at from runs where job_id = %(job_id)s and epoch = %(epoch)s
), before as (
    select name, blocked_since is not null as blocked from pools where name = (select pool from this) for no key update
)
update pools set
    blocked_since = coalesce(blocked_since, clock_timestamp()), blocked_cause = %(cause)s, blocked_reason = %(reason)s,
    blocked_error = %(error)s, probe_at = coalesce(probe_at, clock_timestamp() + %(wait)s)
from this, before
where pools.name = before.name
    and (blocked_cause, blocked_reason) is distinct from (%(cause)s::text, %(reason)s::text)
    and (%(reason)s::text is not distinct from 'quota' or not exists (
        select from runs others
        where others.pool = this.pool and others.started_at > this.claimed_at
            and (%(cause)s <> 'forbidden' or others.committed_at is not null or others.cause = 'rejected')))
returning before.blocked

-- name: blocks.block_pools
-- Blocks the pools of a controller that cannot work with its cluster, except pools with a run that another controller
-- has launched in the last minute. Called at the end of a tick that was broken off.
update pools set blocked_since = clock_timestamp(), blocked_cause = %(cause)s, blocked_reason = %(reason)s,
    blocked_error = %(error)s, probe_at = clock_timestamp()
where name = any(%(pools)s::text[]) and blocked_since is null
    and not exists (
        select from runs
        where runs.pool = pools.name and owner <> %(owner)s and launched_at > clock_timestamp() - interval '1 minute')
returning name

-- name: blocks.hurry_probe
-- Makes the next probe due if a quota was full: a run of the pool is over, so there may be room again. Called by
-- settle.
update pools set probe_at = clock_timestamp()
where name = %(pool)s and blocked_reason = 'quota' and probe_at > clock_timestamp()

-- name: blocks.lift
-- Unblocks a pool as soon as one of its runs shows that the trouble is over: it has started; or was launched, if a
-- quota for Jobs was full; or has done its work, if started runs were in trouble. If the quota is one for pods, as a
-- run shows whose Job had no pod for it, a launch proves nothing. Called at every tick.
update pools set blocked_since = null, blocked_cause = null, blocked_reason = null, blocked_error = null,
    probe_at = null, probes = 0
where blocked_since is not null and (
    exists (
        select from runs
        where runs.pool = pools.name and started_at > blocked_since
            and (blocked_cause <> 'forbidden' or committed_at is not null or cause = 'rejected'))
    or blocked_reason = 'quota' and exists (
        select from runs where runs.pool = pools.name and released_at is null and launched_at > blocked_since)
    and not exists (
        select from runs
        where runs.pool = pools.name and waits_for = 'quota' and coalesce(released_at, 'infinity') > blocked_since))
returning name

-- name: blocks.unblock_pools
-- Unblocks the pools that a controller has blocked while it could not work with its cluster. Called at the end of a
-- tick that went through.
update pools set blocked_since = null, blocked_cause = null, blocked_reason = null, blocked_error = null,
    probe_at = null, probes = 0
where name = any(%(pools)s::text[]) and blocked_error = any(%(errors)s::text[])
