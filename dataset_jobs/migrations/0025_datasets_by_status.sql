-- Older programs: go on.
-- A quick way to the datasets that are not loaded, or being loaded: of a million few are.
create index datasets_not_completed on datasets (status, key) where status <> 'completed';
