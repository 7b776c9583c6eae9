-- Another name, year or sex, or another dataset to replace, for a dataset that has no rows yet, and a fresh start if it
-- had failed. Called by submit.
update datasets set filename = %(filename)s, year_hint = %(year_hint)s, sex_hint = %(sex_hint)s,
    supersedes = %(supersedes)s::uuid[], storage_uri = %(storage_uri)s, status = 'pending',
    updated_at = clock_timestamp()
where id = %(dataset_id)s and status in ('pending', 'failed')
