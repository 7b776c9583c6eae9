-- Acts over all jobs or datasets that match a filter. Starting one is a transaction. Whoever carries it on takes it with a
-- lease; then each batch is a transaction that begins with `operations.lock`, and ends with `operations.advance`: so what
-- a batch has done and where the next one begins are committed together, and nothing is done twice.

-- name: operations.judge_jobs
-- Counts jobs by their state, and by whether a later job of their dataset is there.
select state, exists (select from jobs later where later.dataset_id = jobs.dataset_id and later.key > jobs.key) as later,
    count(*) as jobs
from jobs where id = any (%(ids)s::uuid[]) group by 1, 2 order by 1, 2

-- name: operations.judge_datasets
-- Counts datasets by whether a job of theirs is unfinished.
select exists (select from jobs where jobs.dataset_id = datasets.id and state in ('scheduled', 'queued', 'running'))
        as unfinished,
    count(*) as datasets
from datasets where id = any (%(ids)s::uuid[]) group by 1 order by 1

-- name: operations.about_jobs
-- Counts jobs by what they failed of, with when the oldest and the newest of them were submitted.
select last_cause as cause, count(*) as jobs, min(created_at) as oldest, max(created_at) as newest
from jobs where id = any (%(ids)s::uuid[]) group by 1 order by 2 desc, 1

-- name: operations.start
-- Adds an operation; it is carried on by whoever takes it. No row: there is one of that id already.
insert into operations (id, action, filter, options, of, first_key, last_key, position, made_by, surface, key_id,
    request_id)
values (coalesce(%(id)s::uuid, gen_random_uuid()), %(action)s, %(filter)s::jsonb, %(options)s::jsonb, %(of)s,
    %(first_key)s, %(last_key)s, %(last_key)s::int + 1, %(made_by)s, %(surface)s, %(key_id)s, %(request_id)s)
on conflict (id) do nothing
returning id

-- name: operations.list
-- Lists operations, the newest first, from a key downwards; or one.
select id, key, action, filter, options, state, of, done, failed, refusals, made_by, surface, made_at,
    cancel_requested_at, cancelled_by, ended_at, error, lease_until > clock_timestamp() as is_at_work
from operations
where (%(id)s::uuid is null or id = %(id)s) and (%(before)s::int is null or key < %(before)s)
order by key desc limit %(limit)s

-- name: operations.due
-- Counts the operations that nobody carries on. Called by the controller.
select count(*) as due from operations
where state = 'running' and (lease_until is null or lease_until <= clock_timestamp())

-- name: operations.take
-- Takes the oldest operation that nobody carries on. No row: there is none.
update operations set holder = %(holder)s, lease_until = clock_timestamp() + %(lease)s
where id = (
    select id from operations
    where state = 'running' and (lease_until is null or lease_until <= clock_timestamp())
    order by key limit 1 for no key update skip locked)
returning id

-- name: operations.read
-- Reads how far an operation is, before a batch looks for what is next. No row: it is over, or somebody else's.
select id, action, filter, options, position, first_key, made_by, surface, key_id, request_id
from operations where id = %(id)s and holder = %(holder)s and state = 'running'

-- name: operations.lock
-- Locks an operation if it is still where the batch begins, and reads what was refused so far. No row: it is not there,
-- or it was cancelled or taken over.
select refusals from operations
where id = %(id)s and holder = %(holder)s and state = 'running' and position is not distinct from %(position)s
for no key update

-- name: operations.advance
-- Keeps what a batch has done, and where the next one begins, and renews the lease. Without a next one it is completed.
update operations set
    done = done + %(done)s, failed = failed + %(failed)s, of = greatest(of, done + %(done)s),
    refusals = refusals || %(refusals)s::jsonb, position = %(position)s,
    lease_until = clock_timestamp() + %(lease)s,
    state = case when %(over)s then 'completed' else state end,
    ended_at = case when %(over)s then clock_timestamp() end
where id = %(id)s

-- name: operations.give_back
-- Lets somebody else carry it on at once.
update operations set holder = null, lease_until = null where id = %(id)s and holder = %(holder)s and state = 'running'

-- name: operations.fail
-- Ends an operation that cannot go on, with why.
update operations set state = 'failed', ended_at = clock_timestamp(), error = %(error)s
where id = %(id)s and holder = %(holder)s and state = 'running'

-- name: operations.end
-- Locks an operation that somebody wants to end. No row: there is no such operation.
select id, state from operations where id = %(id)s for no key update

-- name: operations.cancel
-- Ends an operation; a batch that is at work is still committed, and no other one begins.
update operations set state = 'cancelled', cancel_requested_at = clock_timestamp(), cancelled_by = %(by)s,
    ended_at = clock_timestamp()
where id = %(id)s and state = 'running'
