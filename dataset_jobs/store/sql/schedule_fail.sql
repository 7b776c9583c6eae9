-- The look was broken off: the tick stays due, and is begun again after a minute, two, four and so on up to an hour.
-- Called by whoever holds the schedule.
update schedules set
    holder = null, not_before = clock_timestamp() + least(interval '1 minute' * 2 ^ least(failures, 6), interval '1 hour'),
    failures = failures + 1, error = %(error)s
where name = %(schedule)s and holder = %(holder)s
