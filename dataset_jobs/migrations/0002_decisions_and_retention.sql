-- What was decided of a run, when jobs were put back by hand, and quick ways to those that are to go.

-- What settle made of the job after this run, and why; see Settlement.as_decision.
alter table runs add column decision jsonb;

-- When somebody put the job back with fresh budgets.
alter table jobs add column retried_at timestamptz[] not null default '{}';

create index jobs_finished on jobs (finished_at) where finished_at is not null;
create index jobs_to_cancel on jobs (pool)
    where cancel_requested_at is not null and state in ('scheduled', 'queued');
