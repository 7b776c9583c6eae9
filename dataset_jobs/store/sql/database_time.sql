-- The time that counts. Called by schedules add, status and jobs explain.
select clock_timestamp() as now
