-- Takes up a schedule at any time, paused or not; no row where somebody is at it. Called by schedules run.
update schedules set holder = %(holder)s, not_before = clock_timestamp() + %(lease)s
from countries
where countries.id = country_id and schedules.name = %(schedule)s
    and (holder is null or not_before <= clock_timestamp())
returning schedules.name, cron, timezone, location, countries.code as country, pool, priority, next_at::text as tick,
    clock_timestamp() as begun_at
