-- A controller ends in order. Called by itself.
delete from controllers where owner = %(owner)s
