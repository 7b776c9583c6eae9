-- A new schedule; no row where there is one of the name. Called by schedules add.
insert into schedules (name, cron, timezone, location, country_id, pool, priority, next_at)
values (%(schedule)s, %(cron)s, %(timezone)s, %(location)s, %(country_id)s, %(pool)s, %(priority)s, %(next_at)s)
on conflict (name) do nothing
returning name
