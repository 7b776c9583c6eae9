-- Takes up a tick that is due and that nobody is at, the one that has waited longest: of any number of controllers one
-- gets it. It stays due until schedule_finish. Called by the controller.
update schedules set holder = %(holder)s, not_before = clock_timestamp() + %(lease)s
from countries
where countries.id = country_id and schedules.name = (
    select name from schedules
    where not paused and greatest(next_at, not_before) <= clock_timestamp()
    order by greatest(next_at, not_before), name
    limit 1
    for no key update skip locked)
returning schedules.name, cron, timezone, location, countries.code as country, pool, priority, next_at::text as tick,
    clock_timestamp() as begun_at
