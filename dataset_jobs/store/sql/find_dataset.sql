-- The dataset that these bytes already are; without a lock, what is decided on is read by lock_dataset. Called by submit.
select id from datasets where country_id = %(country_id)s and sha256 = %(sha256)s
