-- Quick ways to the jobs that people look for: those that failed or were cancelled, and those that last ended by a cause.
-- A claim pays for neither: a job has no cause before its first run has ended badly.
create index jobs_not_completed on jobs (state, key) where state in ('failed', 'cancelled');
create index jobs_of_cause on jobs (last_cause, key) where last_cause is not null;
