-- A run of the pool is over: where a quota was full there may be room again. Called by settle.
update pools set probe_at = clock_timestamp()
where name = %(pool)s and blocked_reason = 'quota' and probe_at > clock_timestamp()
