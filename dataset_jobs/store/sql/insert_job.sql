-- Enqueues a job; the trigger on jobs wakes the controllers. Called by submit and reprocess.
insert into jobs (dataset_id, type, pool, priority) values (%(dataset_id)s, %(type)s, %(pool)s, %(priority)s)
returning id
