-- First statement of the claim: locks the pool's row, so that claims of a pool go one after the other.
select max_running, desired, max_pending, paused, blocked_since is not null as blocked, probes,
    probe_at <= clock_timestamp() as probe_due
from pools where name = %(pool)s for no key update
