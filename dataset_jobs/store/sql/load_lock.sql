-- First statement of the load: the lock by which whoever fences this run finds and ends its transaction.
-- No lock is waited for longer than this, here and in the statements that follow; and the locks of one who says nothing
-- more between two of them are let go. It reads the run, so that the lock's holder is known as one who is at our tables.
select set_config('lock_timeout', '30s', true), set_config('idle_in_transaction_session_timeout', %(patience)s, true),
    pg_advisory_xact_lock(load_lock(job_id, epoch))
from runs where job_id = %(job_id)s and epoch = %(epoch)s
