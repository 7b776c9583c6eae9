-- Gives a pool back to the settings, where the cluster has no ParserPools any more. Called with every list of them.
update pools set described = 0, paused = false,
    max_running = coalesce(%(max_running)s, max_running), max_pending = coalesce(%(max_pending)s, max_pending)
where name = %(pool)s and described > 0
