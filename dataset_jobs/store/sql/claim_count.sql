-- Third statement of the claim: the slots in use. A statement of its own, so that it sees what the claims before it did.
-- Those that are starting are unstarted and lack more, or less, than room in the cluster.
select count(*) as unreleased,
    count(*) filter (where started_at is null and ended_at is null) as unstarted,
    count(*) filter (where started_at is null and ended_at is null and waits_for is distinct from 'unschedulable')
        as starting
from runs where pool = %(pool)s and released_at is null
