-- Writes how many runs a pool is to have, over the decision that this one was made from: no row where there is a later
-- one. With a lease, takes or renews that. Called by scale.
update pools set
    desired = %(desired)s, limited_by = %(limited_by)s, reason = %(reason)s, min_running = %(minimum)s,
    decided_at = case when desired = %(desired)s then decided_at else clock_timestamp() end,
    decided_by = case when %(lease)s::interval is null then decided_by else %(owner)s end,
    decided_until = coalesce(clock_timestamp() + %(lease)s::interval, decided_until),
    decision = decision + 1, generation = %(generation)s, history = %(history)s
where name = %(pool)s and decision = %(follows)s
returning decision
