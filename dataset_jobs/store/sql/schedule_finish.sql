-- The tick is done: the next one is set, unless that was done already. Called by whoever holds the schedule.
update schedules set
    next_at = case when next_at = %(tick)s::timestamptz then coalesce(%(next_at)s, next_at) else next_at end,
    holder = null, not_before = null, failures = 0,
    looked_at = clock_timestamp(), files = %(files)s, submitted = %(submitted)s, error = %(error)s
where name = %(schedule)s and holder = %(holder)s
