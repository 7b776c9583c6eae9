-- The time that counts. Called by schedules add.
select clock_timestamp() as now
