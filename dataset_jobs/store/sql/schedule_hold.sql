-- Goes on holding a schedule, and keeps it from being changed until the transaction ends. No row: it was removed, or
-- somebody else is at it. Called before each file, and first of all in the transaction that submits one.
update schedules set not_before = clock_timestamp() + %(lease)s where name = %(schedule)s and holder = %(holder)s
returning true as held
