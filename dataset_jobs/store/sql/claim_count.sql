-- Third statement of the claim: the slots in use. A statement of its own, so that it sees what the claims before it did.
select count(*) from runs where pool = %(pool)s and released_at is null
