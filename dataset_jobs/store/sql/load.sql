-- A runner replaces the rows of its dataset: one transaction in this order, each statement in one exchange with what
-- begins or ends the transaction. The functions are in the migrations.

-- name: load.begin
-- Takes the lock by which settle and later runners find and end this transaction, and deletes the dataset's old rows.
-- `answer` is null, or says why the run may not load: stop, and commit nothing.
select runner_begin_load(%(job_id)s, %(epoch)s, %(secret)s, %(runner_uid)s, %(patience)s) as answer

-- name: load.copy_rows
-- Sends the rows of a dataset as text; the loader has sorted them for the primary key.
copy names (dataset_key, year, name, gender, folded_name, count) from stdin

-- name: load.commit
-- The fence, under lock; then completes dataset, coverage, job and run. The commit follows in the same exchange. An
-- error, so that nothing is committed: the lease is lost, or another dataset counts for the same.
select runner_commit_load(%(job_id)s, %(epoch)s, %(secret)s, %(runner_uid)s, %(loaded)s, %(bytes)s, %(log)s)
