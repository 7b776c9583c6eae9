-- First statement of the load: the lock by which whoever fences this run finds and ends its transaction.
-- No lock is waited for longer than this, here and in the statements that follow; and the locks of one who says nothing
-- more between two of them are let go.
select set_config('lock_timeout', '30s', true), set_config('idle_in_transaction_session_timeout', %(patience)s, true),
    pg_advisory_xact_lock(%(job_key)s, %(epoch)s)
