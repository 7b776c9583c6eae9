"""A database with many jobs of every kind, made by SQL."""


def fill(jobs: int, datasets: int) -> str:
    """SQL that fills a migrated database, as a superuser.

    Args:
        jobs: how many; nearly each of them has a run, and there is as much of the audit.
        datasets: of these jobs; at least 2,000, and no fewer than the jobs that wait.
    """
    return f"""
set session_replication_role = replica;
insert into pools (name, max_running) values ('nightly', 1);
insert into datasets (country_id, filename, storage_uri, sha256, size, status, error, created_at, batch,
    loaded_at, row_count, total_count, parser, measure, region)
select case when n <= 100 then fr.id else us.id end, 'yob' || n || '.txt', 'local:x', lpad(to_hex(n), 64, '0'), 1,
    case when n % 2 = 0 then 'completed' when n % 50 = 1 then 'failed' else 'pending' end,
    case when n % 50 = 1 then 'x' end, now() - interval '1 s' * ({datasets} - n),
    case when n between 500 and 520 then 'monday' end,
    case when n % 2 = 0 then now() end, case when n % 2 = 0 then 1 end, case when n % 2 = 0 then 1 end,
    case when n % 2 = 0 then 'x' end,
    case when n % 2 = 0 then case when n <= 100 then 'population' else 'births' end end,
    case when n between 200 and 210 and n % 2 = 0 then 'Bayern' end
from generate_series(1, {datasets}) n, countries fr, countries us where fr.code = 'FR' and us.code = 'US' order by n;
insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count, superseded_by)
select key, 1900 + key % 200, 'F', country_id, 'region ' || key, measure, 1, 1,
    case when key between 300 and 310 then key + 2 end
from datasets where loaded_at is not null;
create temporary table kept as select id, row_number() over (order by key) - 1 as number from datasets;
create unique index on kept (number);
insert into jobs (dataset_id, type, pool, state, lease_epoch, created_at, finished_at, last_cause, last_error, run_at)
select kept.id, case when n % 20000 = 9 then 'reprocess_dataset' else 'parse_dataset' end, pool, state, 1, at,
    case when state in ('completed', 'failed', 'cancelled') then at + interval '9 s' end,
    case state when 'failed' then case when n <= 4000 then 'unavailable' else 'rejected' end
        when 'cancelled' then 'cancelled' end,
    case state when 'failed' then 'x' when 'cancelled' then 'cancelled' end, at
from (
    select n, now() - interval '1 s' * ({jobs} - n) as at,
        case when n between 1000 and 1100 then 'nightly' else 'default' end as pool,
        case when n > {jobs} - 64 then 'running' when n > {jobs} - 1064 then 'queued'
            when n > {jobs} - 1264 then 'scheduled' when n % 200 = 7 then 'failed' when n % 1000 = 3 then 'cancelled'
            else 'completed' end as state
    from generate_series(1, {jobs}) n
) made join kept on kept.number = made.n % {datasets} order by n;
insert into runs (job_id, epoch, pool, launcher, owner, claimed_at, lease_until, ended_at, cause, reason, released_at)
select id, 1, pool, 'process', 'x', created_at, created_at, finished_at,
    case when finished_at is not null then coalesce(last_cause, 'crashed') end,
    case when state = 'failed' then case when key <= 2000 then 'storage' else 'config' end end, finished_at
from jobs where finished_at is not null or state = 'running';
insert into audit (at, actor, surface, action, target, result, key_id)
select now() - interval '1 s' * ({jobs} - n), case when n % 10000 = 1 then 'ada' else 'schedule/us' end, 'api',
    case when n % 5000 = 1 then 'job.cancel' else 'dataset.submit' end, 'dataset/' || n % 50000, 'created', 'abcd0123'
from generate_series(1, {jobs}) n;
set session_replication_role = origin;
analyze jobs, runs, datasets, pools, coverage, audit;
"""
