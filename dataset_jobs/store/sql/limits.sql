-- First statement of every transaction of a client and of a controller. No lock is waited for longer than 30 s, and
-- none is held longer for one who says nothing more: whose machine or network is gone, which Postgres does not notice.
select set_config('lock_timeout', '30s', true),
    set_config('idle_in_transaction_session_timeout', %(patience)s, true)
