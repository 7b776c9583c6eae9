-- Forgets the files that lie there no more. Called by each look, at its end.
delete from schedule_files where schedule = %(schedule)s and uri = any (%(uris)s::text[])
