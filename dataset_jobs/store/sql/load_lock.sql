-- First statement of the load: the lock by which whoever fences this run finds and ends its transaction.
-- No lock is waited for longer than this, here and in the statements that follow.
select set_config('lock_timeout', '30s', true), pg_advisory_xact_lock(%(job_key)s, %(epoch)s)
