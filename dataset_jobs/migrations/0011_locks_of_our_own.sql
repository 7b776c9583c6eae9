-- A load's lock cannot be mistaken for another program's any more.

-- 64 bits of the run's own name, where two small numbers were: others use those too.
create function load_lock(job_id uuid, epoch int) returns bigint
language sql immutable strict parallel safe
return hashtextextended('affirm-worker load ' || job_id || ' ' || epoch, 0);

drop function terminate_runners(int, int);

-- Ends the load transactions of a job's runs up to an epoch; returns how many still hold their lock.
-- Called by whoever fences a run, again until it returns 0: a stopped client of COPY FROM STDIN heeds nothing milder.
-- Besides holding the lock its backend must be at our own table: no other program is.
create function terminate_runners(job_id uuid, last_epoch int) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select count(pg_terminate_backend(held.pid))
    from runs
    join pg_locks held on held.locktype = 'advisory' and held.objsubid = 1 and held.granted
        and (held.classid::bigint << 32 | held.objid::bigint) = load_lock(runs.job_id, runs.epoch)
    where runs.job_id = terminate_runners.job_id and runs.epoch <= last_epoch
        and held.database = (select oid from pg_database where datname = current_database())
        and held.pid <> pg_backend_pid()
        and exists (
            select from pg_locks at
            where at.pid = held.pid and at.locktype = 'relation' and at.database = held.database
                and at.relation = 'runs'::regclass);
end;
