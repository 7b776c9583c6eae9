-- Which description of a pool is in force.

-- Of the ParserPool that it was set by last; an older one is not heeded. 0: of none, but by the settings.
alter table pools add column described bigint not null default 0 check (described >= 0);
