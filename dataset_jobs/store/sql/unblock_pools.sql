-- A controller that could not work with its cluster can: what it has said of its pools is over. Called at the end of a
-- tick that went through.
update pools set blocked_since = null, blocked_cause = null, blocked_reason = null, blocked_error = null,
    probe_at = null, probes = 0
where name = any(%(pools)s::text[]) and blocked_error = any(%(errors)s::text[])
