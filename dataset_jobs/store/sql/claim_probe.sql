-- Part of the claim from a pool that is blocked: what it takes is a probe, and the next one has to wait.
update pools set probes = probes + 1, probe_at = clock_timestamp() + %(wait)s where name = %(pool)s
