-- Stops a pool from being claimed from, but for probes, since a run of it cannot start. Not where the trouble is the
-- run's own: another one has started since it was claimed or, if started runs are in trouble too, has done its work.
-- No row: nothing has changed. Called by settle and observe.
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
