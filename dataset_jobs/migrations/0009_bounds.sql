-- Times that every program can hold. What is out of bounds already is brought within them.

update jobs set run_at = least(greatest(run_at, '1970-01-01 00:00+00'), '9999-01-01 00:00+00')
where run_at not between '1970-01-01 00:00+00' and '9999-01-01 00:00+00';
update schedules set next_at = least(greatest(next_at, '1970-01-01 00:00+00'), '9999-01-01 00:00+00')
where next_at not between '1970-01-01 00:00+00' and '9999-01-01 00:00+00';
update schedules set not_before = clock_timestamp() where not isfinite(not_before);
update pools set probe_at = clock_timestamp() where not isfinite(probe_at);
update pools set decided_until = clock_timestamp() where not isfinite(decided_until);
update runs set claimed_at = clock_timestamp() where not isfinite(claimed_at);
update runs set launched_at = claimed_at where not isfinite(launched_at);
update runs set started_at = claimed_at where not isfinite(started_at);
update runs set ended_at = clock_timestamp() where not isfinite(ended_at);

-- The same bound as dataset_jobs/model/times.py.
alter table jobs add constraint run_at_within_bounds
    check (run_at between '1970-01-01 00:00+00' and '9999-01-01 00:00+00');
alter table schedules
    add constraint next_at_within_bounds check (next_at between '1970-01-01 00:00+00' and '9999-01-01 00:00+00'),
    add constraint not_before_is_finite check (isfinite(not_before));
-- Postgres before 17 cannot subtract infinite times: the statements that look at all pools would fail for one.
alter table pools add constraint times_are_finite check (isfinite(probe_at) and isfinite(decided_until));
alter table runs add constraint times_are_finite
    check (isfinite(claimed_at) and isfinite(launched_at) and isfinite(started_at) and isfinite(ended_at));
