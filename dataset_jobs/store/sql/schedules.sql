-- Schedules, and the look into a folder or at an address at each tick. A look begins, holds the schedule before each
-- file, and finishes, fails or gives the tick back. `schedules.hold` and `schedules.note` or `schedules.fetched` also
-- begin the transaction that submits a file; otherwise each statement is a transaction of its own.

-- name: schedules.add
-- Adds a schedule. No row: the name is taken.
insert into schedules (name, cron, timezone, location, url, filename, country_id, pool, priority, next_at,
    year_hint, sex_hint, format_hint, region_hint, description)
values (%(schedule)s, %(cron)s, %(timezone)s, %(location)s, %(url)s, %(filename)s, %(country_id)s, %(pool)s,
    %(priority)s, %(next_at)s, %(year_hint)s, %(sex_hint)s, %(format_hint)s, %(region_hint)s, %(description)s)
on conflict (name) do nothing
returning name

-- name: schedules.lock
-- Locks a schedule for a change. No row: there is none of the name.
select name from schedules where name = %(schedule)s for no key update

-- name: schedules.change
-- Changes when a schedule is due, and what is said of its files. A null next_at leaves the tick that is due.
update schedules set cron = %(cron)s, timezone = %(timezone)s, next_at = coalesce(%(next_at)s, next_at), pool = %(pool)s,
    priority = %(priority)s, year_hint = %(year_hint)s, sex_hint = %(sex_hint)s, format_hint = %(format_hint)s,
    region_hint = %(region_hint)s, description = %(description)s
where name = %(schedule)s
returning name

-- name: schedules.pause
-- Pauses or resumes a schedule.
update schedules set paused = %(paused)s where name = %(schedule)s returning name

-- name: schedules.remove
-- Removes a schedule; the datasets that it submitted stay.
delete from schedules where name = %(schedule)s returning name

-- name: schedules.list
-- Lists every schedule, or one, with the result of its last look.
select schedules.name, cron, timezone, location, url, filename, countries.code as country, pool, priority, paused,
    next_at, year_hint, sex_hint::text as sex_hint, format_hint, region_hint, description, etag, last_modified, note,
    holder is not null and not_before > clock_timestamp() as looking, looked_at, files, submitted, failures, error,
    case when failures > 0 and not paused then greatest(next_at, not_before) end as again_at
from schedules join countries on countries.id = country_id
where %(schedule)s::text is null or schedules.name = %(schedule)s
order by schedules.name

-- name: schedules.due
-- Counts the ticks that could begin now. Called by the controller.
select count(*) as due from schedules where not paused and greatest(next_at, not_before) <= clock_timestamp()

-- name: schedules.begin
-- Takes up the due tick that nobody is at and that has waited longest: of any number of controllers one gets it. It
-- stays due until `schedules.finish`.
update schedules set holder = %(holder)s, not_before = clock_timestamp() + %(lease)s
from countries
where countries.id = country_id and schedules.name = (
    select name from schedules
    where not paused and greatest(next_at, not_before) <= clock_timestamp()
    order by greatest(next_at, not_before), name
    limit 1
    for no key update skip locked)
returning schedules.name, cron, timezone, location, url, filename, countries.code as country, pool, priority,
    year_hint, sex_hint::text as sex_hint, format_hint, region_hint, description,
    next_at::text as tick, clock_timestamp() as begun_at

-- name: schedules.begin_by_hand
-- Takes up a schedule at any time, even if it is paused. No row: somebody is at it. Called by schedules run.
update schedules set holder = %(holder)s, not_before = clock_timestamp() + %(lease)s
from countries
where countries.id = country_id and schedules.name = %(schedule)s
    and (holder is null or not_before <= clock_timestamp())
returning schedules.name, cron, timezone, location, url, filename, countries.code as country, pool, priority,
    year_hint, sex_hint::text as sex_hint, format_hint, region_hint, description,
    next_at::text as tick, clock_timestamp() as begun_at

-- name: schedules.known
-- Lists the files that a schedule has read before, and whether a dataset of its country has their bytes.
select uri, version, sha256,
    exists (select from datasets where datasets.country_id = schedules.country_id and datasets.sha256 = f.sha256) as known
from schedule_files f join schedules on schedules.name = f.schedule
where f.schedule = %(schedule)s

-- name: schedules.hold
-- Renews the hold on a schedule, and keeps it from changing until the transaction ends. No row: it was removed, or
-- somebody else is at it.
update schedules set not_before = clock_timestamp() + %(lease)s where name = %(schedule)s and holder = %(holder)s
returning true as held

-- name: schedules.note
-- Keeps the hash of a file that was read.
insert into schedule_files (schedule, uri, version, sha256) values (%(schedule)s, %(uri)s, %(version)s, %(sha256)s)
on conflict (schedule, uri) do update set version = excluded.version, sha256 = excluded.sha256

-- name: schedules.forget
-- Forgets the files that are gone from the folder, at the end of a look.
delete from schedule_files where schedule = %(schedule)s and uri = any (%(uris)s::text[])

-- name: schedules.versions
-- Lists the datasets that the files of an address have become, in the order in which they were fetched last, with what
-- the server said of the last one. Called at the beginning of a look.
select datasets.id, datasets.filename, v.sha256, etag, last_modified,
    fetched_at = max(fetched_at) over () as is_last,
    exists (select from coverage where dataset_key = datasets.key and superseded_by is null) as counts,
    loaded_at is not null and not exists (
        select from coverage where dataset_key = datasets.key and superseded_by is null) as superseded,
    exists (select from jobs where dataset_id = datasets.id and state in ('scheduled', 'queued', 'running')) as unfinished
from schedule_versions v join schedules on schedules.name = v.schedule
    left join datasets on datasets.country_id = schedules.country_id and datasets.sha256 = v.sha256
where v.schedule = %(schedule)s
order by fetched_at

-- name: schedules.fetched
-- Keeps what was fetched from an address, in the transaction that makes it a dataset.
with version as (
    insert into schedule_versions (schedule, sha256) values (%(schedule)s, %(sha256)s)
    on conflict (schedule, sha256) do update set fetched_at = clock_timestamp()
)
update schedules set etag = %(etag)s, last_modified = %(last_modified)s where name = %(schedule)s

-- name: schedules.finish
-- Ends a tick and sets the next one, unless that was done already.
update schedules set
    next_at = case when next_at = %(tick)s::timestamptz then coalesce(%(next_at)s, next_at) else next_at end,
    holder = null, not_before = null, failures = 0,
    looked_at = clock_timestamp(), files = %(files)s, submitted = %(submitted)s, error = %(error)s, note = %(note)s
where name = %(schedule)s and holder = %(holder)s

-- name: schedules.fail
-- Breaks off a look after an error: the tick stays due, and begins again after a minute, two, four and so on up to an
-- hour.
update schedules set
    holder = null, not_before = clock_timestamp() + least(interval '1 minute' * 2 ^ least(failures, 6), interval '1 hour'),
    failures = failures + 1, error = %(error)s
where name = %(schedule)s and holder = %(holder)s

-- name: schedules.give_back
-- Breaks off a look because the controller ends: the tick is due at once.
update schedules set holder = null, not_before = null where name = %(schedule)s and holder = %(holder)s

-- name: schedules.names
-- Lists all names, for the shell's completion.
select name from schedules order by name
