-- The rows of a dataset, as text; the loader has sorted them for the primary key.
copy names (dataset_key, year, name, gender, folded_name, count) from stdin
