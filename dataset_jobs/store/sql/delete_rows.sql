-- The old rows of a dataset, before its new ones are sent, or with the dataset itself.
delete from names where dataset_key = %(dataset_key)s
