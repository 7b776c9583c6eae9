-- First statement of every transaction of a client: no lock is waited for longer than this.
select set_config('lock_timeout', '30s', true)
