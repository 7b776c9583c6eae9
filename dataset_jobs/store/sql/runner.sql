-- A runner's statements outside its load, in the order of its life. Each is a transaction of its own, and a function of
-- the migrations: a runner may read no table, and proves each time that the run is its own.

-- name: runner.take
-- The runner takes the run. Only the first runner can; it may ask again. It ends the loads of earlier runs, and says how
-- many there still are.
select runner_take(%(job_id)s, %(epoch)s, %(secret)s, %(runner_uid)s, %(pod_name)s, %(node)s, %(lease)s) as answer

-- name: runner.end_earlier_loads
-- Ends the loads of earlier runs once more. Returns how many there still were; the runner asks again until there are
-- none.
select runner_end_earlier_loads(%(job_id)s, %(epoch)s, %(secret)s, %(runner_uid)s) as still_loading

-- name: runner.heartbeat
-- Renews the lease, and records the progress and the log if it has changed. False: the lease is lost, or a client asked
-- for a cancel.
select runner_heartbeat(%(job_id)s, %(epoch)s, %(secret)s, %(runner_uid)s, %(lease)s, %(bytes)s, %(rows)s, %(log)s)
    as held

-- name: runner.record_outcome
-- Records what a runner reports of a run that did not commit; settle decides.
select runner_record_outcome(%(job_id)s, %(epoch)s, %(secret)s, %(runner_uid)s, %(outcome)s, %(log)s)

-- name: runner.has_committed
-- Did this run commit? Asked by a runner whose connection broke while it committed.
select runner_has_committed(%(job_id)s, %(epoch)s, %(secret)s) as committed

-- name: runner.sexes_of
-- Counts a list's names by sex in the rows of other datasets of the country, in the 20 lists of the nearest years. Asked
-- before a load, if the sex stands only in the file's name or was given.
select name, female, male
from runner_sexes_of(%(job_id)s, %(epoch)s, %(secret)s, %(runner_uid)s, %(year)s, %(names)s)
