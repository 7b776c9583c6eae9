-- A quick way to the jobs that are running and to be cancelled: every tick asks for them.
create index jobs_cancelling on jobs (id) where cancel_requested_at is not null and state = 'running';
