-- How many controllers listen for notifications now; those that cannot, behind a pooler, are not seen. Called by status.
select count(*) from pg_stat_activity where datname = current_database() and application_name = 'affirm-worker listen'
