-- Keeps the hash of a file that was read. Called by each look, in the transaction that submits it.
insert into schedule_files (schedule, uri, version, sha256) values (%(schedule)s, %(uri)s, %(version)s, %(sha256)s)
on conflict (schedule, uri) do update set version = excluded.version, sha256 = excluded.sha256
