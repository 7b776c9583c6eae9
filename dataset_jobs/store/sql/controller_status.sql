-- Controllers by what they have claimed lately; an idle one claims nothing, and is not known. Called by status.
select owner, pool, launcher, max(claimed_at) as last_claim, count(*) filter (where released_at is null) as unreleased
from runs where released_at is null or claimed_at > clock_timestamp() - interval '1 hour'
group by owner, pool, launcher order by max(claimed_at) desc
