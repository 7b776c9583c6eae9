-- Second statement of settle: the run is over, its evidence is kept, its slot is free.
update runs set
    ended_at = coalesce(ended_at, clock_timestamp()), cause = coalesce(cause, %(cause)s),
    reason = coalesce(reason, %(reason)s), error = coalesce(error, %(error)s),
    evidence = coalesce(evidence, %(evidence)s::jsonb), pod_name = coalesce(pod_name, %(pod_name)s), node = coalesce(node, %(node)s),
    decision = %(decision)s, released_at = clock_timestamp()
where job_id = %(job_id)s and epoch = %(epoch)s
