-- The pools that a ParserPool has described, be it there or not. Called with the list of those that are.
select name from pools where described > 0
