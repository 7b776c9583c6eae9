-- The launcher has answered for good: the runs have names there. Called by launch, and again after an adoption. Locked in
-- one order first, for another controller may have adopted some of the same.
with given as (
    select * from unnest(%(job_ids)s::uuid[], %(epochs)s::int[], %(names)s::text[]) as given (job_id, epoch, name)
), locked as (
    select job_id, epoch, given.name from runs join given using (job_id, epoch)
    where released_at is null order by 1, 2 for no key update of runs
)
update runs set launched_at = coalesce(launched_at, clock_timestamp()), launch_name = locked.name,
    waits_for = case when launched_at is null then null else waits_for end,
    waits_for_error = case when launched_at is null then null else waits_for_error end
from locked where runs.job_id = locked.job_id and runs.epoch = locked.epoch
returning runs.job_id, runs.epoch, launched_at - claimed_at as after
