-- The logins of browsers. A token is looked up by its hash, and lets in for as long as its key does.

-- name: web_sessions.add
-- Begins a session of a key.
insert into web_sessions (token_hash, key_id, expires_at)
values (%(token_hash)s, %(key_id)s, clock_timestamp() + %(lasts)s::interval)

-- name: web_sessions.keys
-- Finds the keys of sessions, and why those that let nobody in any more do not. No row: there is no such session.
select token_hash, id, name, role, made_by, api_keys.made_at, api_keys.expires_at, last_used_at, revoked_at, revoked_by,
    coalesce(last_used_at < clock_timestamp() - interval '1 minute', true) as use_is_old,
    case when revoked_at is not null then 'revoked'
        when api_keys.expires_at <= clock_timestamp() then 'expired'
        when web_sessions.expires_at <= clock_timestamp() then 'old' end as over
from web_sessions join api_keys on id = key_id
where token_hash = any(%(token_hashes)s::bytea[])

-- name: web_sessions.of_key
-- Lists the sessions of a key that last still, the newest first.
select made_at, expires_at, token_hash = %(token_hash)s::bytea as this
from web_sessions where key_id = %(key_id)s and expires_at > clock_timestamp()
order by made_at desc
limit %(limit)s

-- name: web_sessions.end
-- Ends a session. No row: it was ended already.
delete from web_sessions where token_hash = %(token_hash)s returning key_id

-- name: web_sessions.end_others
-- Ends the sessions of a key, except for one; a row for each.
delete from web_sessions where key_id = %(key_id)s and token_hash <> %(token_hash)s returning key_id

-- name: web_sessions.remove_old
-- Removes some of the sessions that are over.
delete from web_sessions
where token_hash in (
    select token_hash from web_sessions where expires_at <= clock_timestamp()
    order by expires_at limit 100 for update skip locked)
