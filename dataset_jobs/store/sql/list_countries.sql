-- All countries, for the suggestions where a code is unknown. Called by submit.
select code, name from countries order by code
