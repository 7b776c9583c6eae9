-- Controllers: those that say they are there, and those that have claimed something lately or whose runs hold slots. One
-- that has left no word has ended. Called by status and jobs explain.
select owner, coalesce(controllers.launcher, claims.launcher) as launcher,
    coalesce(controllers.pools, claims.pools) as pools, claims.last_claim, coalesce(claims.unreleased, 0) as unreleased,
    claims.heard_of_until, controllers.started_at, controllers.seen_at,
    extract(epoch from clock_timestamp() - controllers.seen_at)::float8 as silent_seconds,
    controllers.trouble, coalesce(controllers.trouble_permanent, false) as trouble_permanent,
    controllers.trouble_since, coalesce(controllers.trouble_tries, 0) as trouble_tries
from controllers full join (
    select owner, min(launcher) as launcher, array_agg(distinct pool) as pools, max(claimed_at) as last_claim,
        count(*) filter (where released_at is null) as unreleased,
        max(lease_until) filter (where released_at is null) as heard_of_until
    from runs where released_at is null or claimed_at > clock_timestamp() - interval '1 hour'
    group by owner
) claims using (owner)
where controllers.seen_at > clock_timestamp() - interval '1 hour' or claims.owner is not null
order by controllers.seen_at desc nulls last, claims.last_claim desc
