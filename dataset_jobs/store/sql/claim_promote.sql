-- Second statement of the claim: what is due becomes queued, a batch at a time.
update jobs set state = 'queued'
where id = any (array(
    select id from jobs
    where pool = %(pool)s and state = 'scheduled' and run_at <= now()
    order by run_at
    limit %(batch)s
    for no key update skip locked))
