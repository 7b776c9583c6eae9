-- Who did what. The transaction of an act ends with the first statement; the others read.

-- name: audit.add
-- Adds what somebody has done.
insert into audit (actor, surface, action, target, result, detail, request_id, key_id)
values (%(actor)s, %(surface)s, %(action)s, %(target)s, %(result)s, %(detail)s::jsonb, %(request_id)s, %(key_id)s)

-- name: audit.list
-- Lists acts, the newest first, from an id downwards.
select id, at, actor, surface, action, target, result, detail, request_id, key_id
from audit
where (%(before)s::bigint is null or id < %(before)s)
    and (%(actor)s::text is null or actor = %(actor)s)
    and (%(action)s::text is null or action = %(action)s)
    and (%(target)s::text is null or target = %(target)s)
order by id desc
limit %(limit)s

-- name: audit.done_by
-- Has this key done that to the target, or an actor without a key? It tells whose upload a dataset is.
select exists (
    select from audit
    where target = %(target)s and action = %(action)s and surface in ('api', 'web')
        and key_id is not distinct from %(key_id)s::text
        and (%(key_id)s::text is not null or actor = %(actor)s)) as done

-- name: audit.first_of
-- Who was the first to do something to each of these targets.
select distinct on (target) target, actor from audit
where target = any(%(targets)s) and action = %(action)s
order by target, id
