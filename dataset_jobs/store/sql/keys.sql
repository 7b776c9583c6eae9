-- The keys of the API. A check looks a key up by its id, and compares the hash of its secret outside the database.

-- name: keys.find
-- Finds a key by its id.
select id, name, role, made_by, made_at, expires_at, last_used_at, revoked_at, revoked_by, secret_hash,
    expires_at <= clock_timestamp() as expired,
    coalesce(last_used_at < clock_timestamp() - interval '1 minute', true) as use_is_old
from api_keys where id = %(id)s

-- name: keys.used
-- Notes that a key is used, at most once a minute; nobody waits for another who notes the same.
update api_keys set last_used_at = clock_timestamp()
where id = (
    select id from api_keys
    where id = %(id)s and coalesce(last_used_at < clock_timestamp() - interval '1 minute', true)
    for no key update skip locked)

-- name: keys.list
-- Lists all keys, the newest first.
select id, name, role, made_by, made_at, expires_at, last_used_at, revoked_at, revoked_by
from api_keys order by made_at desc, id

-- name: keys.lock
-- Locks the keys in use that a new one of this name, or an end of this one, has to do with: so two people cannot revoke
-- the last two admins at one time.
select id, name, role, revoked_at, coalesce(expires_at <= clock_timestamp(), false) as expired
from api_keys
where (role = 'admin' and revoked_at is null) or id = %(id)s
order by id for update

-- name: keys.add
-- Adds a key. No row: a key in use has the name.
insert into api_keys (id, name, role, secret_hash, made_by, made_at, expires_at)
select %(id)s, %(name)s, %(role)s, %(secret_hash)s, %(made_by)s, clock.now, clock.now + %(expires_in)s::interval
from (select clock_timestamp() as now) as clock
on conflict (name) where revoked_at is null do nothing
returning id, name, role, made_by, made_at, expires_at, last_used_at, revoked_at, revoked_by

-- name: keys.revoke
-- Revokes a key; it stays in the list.
update api_keys set revoked_at = clock_timestamp(), revoked_by = %(by)s where id = %(id)s and revoked_at is null

-- name: keys.good
-- Which of these keys still let their holders in.
select id from api_keys
where id = any (%(ids)s) and revoked_at is null and coalesce(expires_at > clock_timestamp(), true)
