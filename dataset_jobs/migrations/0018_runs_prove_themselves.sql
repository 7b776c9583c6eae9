-- A run proves itself by a secret, and does its work by functions: its role needs no right on any table but one, to insert
-- rows into `names`, and a trigger lets in only those of the dataset that it loads. Here are the key, and what is made of
-- it: secrets, locks and a channel. The functions that runners call follow in two more migrations.
--
-- Each function runs as the owner of the tables. Its search_path is the one of this session: pg_catalog comes first by
-- itself, then our schema, and pg_temp last. `runner_…` are for runners; grants.sql says who may call the others.

alter table installation add column key bytea not null
    default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
comment on column installation.key is 'What secrets of runs are made of. Runners cannot read it.';

-- A message authentication code: nobody without the key can make it.
create function keyed(message text) returns bytea
language sql stable strict security definer set search_path from current
as $$ select sha256(key || sha256(key || convert_to(message, 'UTF8'))) from installation $$;

-- What a runner proves with that it works for this run. It is computed again at every launch, and stored nowhere.
create function run_secret(of_job uuid, of_epoch int) returns text
language sql stable strict security definer set search_path from current
as $$ select encode(keyed('run ' || of_job || ' ' || of_epoch), 'hex') $$;

-- 64 bits that only the owner can tell beforehand: nobody else can hold a run's lock to stop it.
create function keyed_lock(message text) returns bigint
language sql stable strict security definer set search_path from current
as $$ select ('x' || encode(substr(keyed(message), 1, 8), 'hex'))::bit(64)::bigint $$;

-- The channel on which controllers listen. Runners do not know it: else they could wake controllers without an end.
create function jobs_channel() returns text
language sql stable security definer set search_path from current
as $$ select 'affirm_jobs_' || left(encode(keyed('channel'), 'hex'), 32) $$;

create function wake_controllers() returns void
language sql security definer set search_path from current
as $$ select pg_notify(jobs_channel(), '') $$;

create or replace function notify_jobs() returns trigger
language plpgsql security definer set search_path from current as $$
begin
    perform wake_controllers();
    return null;
end $$;

-- Held by the transaction that loads.
create or replace function load_lock(job_id uuid, epoch int) returns bigint
language sql stable strict security definer set search_path from current
as $$ select keyed_lock('load ' || job_id || ' ' || epoch) $$;

-- Shared by all transactions of a run, so that each of them can be ended.
create function run_lock(of_job uuid, of_epoch int) returns bigint
language sql stable strict security definer set search_path from current
as $$ select keyed_lock('transaction ' || of_job || ' ' || of_epoch) $$;

-- Ends the transactions of a job's runs up to an epoch; returns how many still hold their lock.
-- Called by whoever fences a run, again until it returns 0: a stopped client of COPY FROM STDIN heeds nothing milder.
create or replace function terminate_runners(job_id uuid, last_epoch int) returns bigint
language plpgsql security definer set search_path from current as $$
declare
    locks bigint[] := array(
        select unnest(array[load_lock(runs.job_id, runs.epoch), run_lock(runs.job_id, runs.epoch)])
        from runs where runs.job_id = terminate_runners.job_id and runs.epoch <= last_epoch);
begin
    return (
        select count(pg_terminate_backend(held.pid))
        from (
            select distinct pid from pg_locks
            where locktype = 'advisory' and objsubid = 1 and granted
                and (classid::bigint << 32 | objid::bigint) = any (locks)
                and database = (select oid from pg_database where datname = current_database())
                and pid <> pg_backend_pid()
        ) held
        where exists (
            select from pg_locks at
            where at.pid = held.pid and at.locktype = 'relation' and at.relation = 'runs'::regclass
                and at.database = (select oid from pg_database where datname = current_database())));
end $$;

-- Refuses whoever does not know the run's secret. Hashes are compared: the time that takes tells nothing of the secret.
create function prove(of_job uuid, of_epoch int, secret text) returns void
language plpgsql security definer set search_path from current as $$
begin
    if sha256(convert_to(secret, 'UTF8')) is distinct from sha256(convert_to(run_secret(of_job, of_epoch), 'UTF8'))
        or secret is null
    then
        raise exception using errcode = 'insufficient_privilege', message = 'this is not the secret of the run';
    end if;
    perform pg_advisory_xact_lock_shared(run_lock(of_job, of_epoch));
end $$;
