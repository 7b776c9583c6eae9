-- The jobs whose id lies in a range: those that begin with what a person typed. Called by the command line.
select id from jobs where id between %(first)s and %(last)s order by id limit 3
