-- What an HTTP API needs beneath it: keys, who did what, acts over many jobs at once, and the past of pools.

-- The keys of the API. The secret is random, so one hash of it is enough.
create table api_keys (
    id text primary key check (id ~ '^[0-9A-Za-z]{8}$'),
    name text not null check (name <> '' and length(name) <= 100),
    role text not null check (role in ('viewer', 'uploader', 'admin')),
    secret_hash bytea not null check (length(secret_hash) = 32),
    made_by text not null,
    made_at timestamptz not null default clock_timestamp(),
    -- Null: it never expires.
    expires_at timestamptz,
    -- Written at most once a minute.
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    constraint revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
);
-- A name tells who did something, so no two keys in use have the same.
create unique index api_keys_by_name on api_keys (name) where revoked_at is null;

-- Who did what, written by the transaction that did it. Rows are only ever added.
create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    -- The name of the key, the user whom a proxy names, os-user@host, or the controller's.
    actor text not null check (actor <> ''),
    surface text not null check (surface in ('api', 'web', 'cli', 'controller')),
    action text not null,
    -- Such as dataset/ID, job/ID or pool/NAME.
    target text,
    result text not null,
    detail jsonb not null default '{}',
    request_id text,
    key_id text
);
create index audit_of_target on audit (target, id) where target is not null;
create index audit_of_actor on audit (actor, id);
create index audit_of_action on audit (action, id);
create index audit_of_key on audit (key_id, id) where key_id is not null;

-- The files that somebody submitted together, and how lists find them.
alter table datasets add column batch text check (batch <> '' and length(batch) <= 100);
create index datasets_of_batch on datasets (batch, key) where batch is not null;

-- Acts over all jobs or datasets that match a filter, a batch a transaction.
create table operations (
    id uuid primary key default gen_random_uuid(),
    key int generated always as identity unique,
    action text not null check (action in ('retry', 'cancel', 'set', 'reprocess', 'delete', 'purge')),
    filter jsonb not null,
    -- What the action takes, such as the new priority.
    options jsonb not null default '{}',
    state text not null default 'running' check (state in ('running', 'completed', 'cancelled', 'failed')),
    -- How many matched at the start, how many of them are dealt with, and how many of those were refused.
    of int not null check (of >= 0),
    done int not null default 0 check (done >= 0),
    failed int not null default 0 check (failed between 0 and done),
    -- Why, and how many: {"reason": 3}.
    refusals jsonb not null default '{}',
    -- The keys that matched, and where the next batch begins: everything up to that is dealt with, once.
    first_key int,
    last_key int,
    position int,
    made_by text not null,
    surface text not null,
    key_id text,
    request_id text,
    made_at timestamptz not null default clock_timestamp(),
    cancel_requested_at timestamptz,
    cancelled_by text,
    ended_at timestamptz,
    error text,
    -- Who carries it on, for how long.
    holder uuid,
    lease_until timestamptz,
    constraint ended_has_time check ((state = 'running') = (ended_at is null))
);
create index operations_running on operations (key) where state = 'running';

-- A pool's past, a row a minute; kept for 30 days.
create table pool_minutes (
    pool text not null references pools on delete cascade,
    minute timestamptz not null,
    depth int not null,
    oldest_wait_seconds real,
    running int not null,
    pending int not null,
    desired int,
    maximum int not null,
    -- Ends within the minute before.
    finished int not null,
    failed int not null,
    -- The seconds that its runs were at work within it.
    busy real not null,
    primary key (pool, minute)
);
