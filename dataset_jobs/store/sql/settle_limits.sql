-- Before settle's first statement, when it tries for the first time: no lock is waited for longer than this.
select set_config('lock_timeout', %(soon)s, true)
