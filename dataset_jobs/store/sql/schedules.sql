-- Schedules, and the look at a folder that each tick is. A tick is begun, holds the schedule before each file, and is
-- finished, failed or given back. `schedules.hold` and `schedules.note` are the first statements of the transaction
-- that submits a file; every other statement is a transaction of its own.

-- name: schedules.add
-- A new schedule; no row where there is one of the name. Called by schedules add.
insert into schedules (name, cron, timezone, location, country_id, pool, priority, next_at)
values (%(schedule)s, %(cron)s, %(timezone)s, %(location)s, %(country_id)s, %(pool)s, %(priority)s, %(next_at)s)
on conflict (name) do nothing
returning name

-- name: schedules.pause
-- Pauses a schedule, or lets it go on. Called by schedules pause and resume.
update schedules set paused = %(paused)s where name = %(schedule)s returning name

-- name: schedules.remove
-- Removes a schedule; what it has submitted stays. Called by schedules remove.
delete from schedules where name = %(schedule)s returning name

-- name: schedules.list
-- Every schedule, or one, with what came of the last look. Called by the commands about schedules, and by status.
select schedules.name, cron, timezone, location, countries.code as country, pool, priority, paused, next_at,
    holder is not null and not_before > clock_timestamp() as looking, looked_at, files, submitted, failures, error,
    case when failures > 0 and not paused then greatest(next_at, not_before) end as again_at
from schedules join countries on countries.id = country_id
where %(schedule)s::text is null or schedules.name = %(schedule)s
order by schedules.name

-- name: schedules.due
-- How many ticks could be begun now. Called by the controller.
select count(*) as due from schedules where not paused and greatest(next_at, not_before) <= clock_timestamp()

-- name: schedules.begin
-- Takes up a tick that is due and that nobody is at, the one that has waited longest: of any number of controllers one
-- gets it. It stays due until `schedules.finish`.
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

-- name: schedules.begin_by_hand
-- Takes up a schedule at any time, paused or not; no row where somebody is at it. Called by schedules run.
update schedules set holder = %(holder)s, not_before = clock_timestamp() + %(lease)s
from countries
where countries.id = country_id and schedules.name = %(schedule)s
    and (holder is null or not_before <= clock_timestamp())
returning schedules.name, cron, timezone, location, countries.code as country, pool, priority, next_at::text as tick,
    clock_timestamp() as begun_at

-- name: schedules.known
-- What a schedule has read before, and whether a dataset of its country is those bytes. Called by each look.
select uri, version, sha256,
    exists (select from datasets where datasets.country_id = schedules.country_id and datasets.sha256 = f.sha256) as known
from schedule_files f join schedules on schedules.name = f.schedule
where f.schedule = %(schedule)s

-- name: schedules.hold
-- Goes on holding a schedule, and keeps it from being changed until the transaction ends. No row: it was removed, or
-- somebody else is at it.
update schedules set not_before = clock_timestamp() + %(lease)s where name = %(schedule)s and holder = %(holder)s
returning true as held

-- name: schedules.note
-- Keeps the hash of a file that was read.
insert into schedule_files (schedule, uri, version, sha256) values (%(schedule)s, %(uri)s, %(version)s, %(sha256)s)
on conflict (schedule, uri) do update set version = excluded.version, sha256 = excluded.sha256

-- name: schedules.forget
-- Forgets the files that lie there no more. Called by each look, at its end.
delete from schedule_files where schedule = %(schedule)s and uri = any (%(uris)s::text[])

-- name: schedules.finish
-- The tick is done: the next one is set, unless that was done already. Called by whoever holds the schedule.
update schedules set
    next_at = case when next_at = %(tick)s::timestamptz then coalesce(%(next_at)s, next_at) else next_at end,
    holder = null, not_before = null, failures = 0,
    looked_at = clock_timestamp(), files = %(files)s, submitted = %(submitted)s, error = %(error)s
where name = %(schedule)s and holder = %(holder)s

-- name: schedules.fail
-- The look was broken off: the tick stays due, and is begun again after a minute, two, four and so on up to an hour.
-- Called by whoever holds the schedule.
update schedules set
    holder = null, not_before = clock_timestamp() + least(interval '1 minute' * 2 ^ least(failures, 6), interval '1 hour'),
    failures = failures + 1, error = %(error)s
where name = %(schedule)s and holder = %(holder)s

-- name: schedules.give_back
-- The look was broken off by the end of the controller: the tick is due at once. Called by whoever holds the schedule.
update schedules set holder = null, not_before = null where name = %(schedule)s and holder = %(holder)s
