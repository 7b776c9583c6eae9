-- Pauses a schedule, or lets it go on. Called by schedules pause and resume.
update schedules set paused = %(paused)s where name = %(schedule)s returning name
