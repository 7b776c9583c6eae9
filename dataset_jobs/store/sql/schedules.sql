-- Every schedule, or one, with what came of the last look. Called by the commands about schedules, and by status.
select schedules.name, cron, timezone, location, countries.code as country, pool, priority, paused, next_at,
    holder is not null and not_before > clock_timestamp() as looking, looked_at, files, submitted, failures, error,
    case when failures > 0 and not paused then greatest(next_at, not_before) end as again_at
from schedules join countries on countries.id = country_id
where %(schedule)s::text is null or schedules.name = %(schedule)s
order by schedules.name
