-- Which of these jobs' runs still hold a slot: the others' Jobs in the cluster are orphans. Called by rescue, and before a
-- run is launched that was read a while ago.
select job_id, epoch from runs where job_id = any (%(job_ids)s) and released_at is null
