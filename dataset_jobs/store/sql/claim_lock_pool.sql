-- First statement of the claim: locks the pool's row, so that claims of a pool go one after the other.
select max_running, paused from pools where name = %(pool)s for no key update
