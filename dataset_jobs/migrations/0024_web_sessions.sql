-- Older programs: go on.
-- The logins of browsers: somebody typed a key, and a cookie stands for it from then on. A session is only as good as its
-- key, and the token is random, so one hash of it is enough.
create table web_sessions (
    token_hash bytea primary key check (length(token_hash) = 32),
    key_id text not null references api_keys on delete cascade,
    made_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create index web_sessions_by_end on web_sessions (expires_at);
