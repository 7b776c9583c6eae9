-- Cancels jobs that a cancel was asked for and that are not running: the claim passes them over, so that nothing else
-- would ever end them. Called by rescue.
with cancelled as (
    update jobs set state = 'cancelled', finished_at = clock_timestamp(),
        last_cause = 'cancelled', last_error = 'cancelled'
    where id = any (array(
        select id from jobs
        where cancel_requested_at is not null and state in ('scheduled', 'queued')
        limit %(batch)s
        for no key update skip locked))
    returning id, dataset_id
), rested as (
    update datasets set error = 'cancelled', updated_at = clock_timestamp()
    from cancelled where datasets.id = cancelled.dataset_id
)
select id from cancelled
