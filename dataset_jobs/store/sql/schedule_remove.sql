-- Removes a schedule; what it has submitted stays. Called by schedules remove.
delete from schedules where name = %(schedule)s returning name
