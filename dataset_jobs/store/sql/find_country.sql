-- The country of an ISO code. Called by submit.
select id from countries where code = %(code)s
