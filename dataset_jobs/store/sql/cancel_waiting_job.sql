-- Cancels a job that is not running; its dataset rests as it is. Called by jobs cancel, under the job's lock.
with cancelled as (
    update jobs set state = 'cancelled', finished_at = clock_timestamp(),
        cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
        last_cause = 'cancelled', last_error = 'cancelled'
    where id = %(job_id)s and state in ('scheduled', 'queued')
    returning dataset_id
)
update datasets set error = 'cancelled', updated_at = clock_timestamp()
from cancelled where datasets.id = cancelled.dataset_id
