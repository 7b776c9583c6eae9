-- How many ticks could be begun now. Called by the controller.
select count(*) from schedules where not paused and greatest(next_at, not_before) <= clock_timestamp()
