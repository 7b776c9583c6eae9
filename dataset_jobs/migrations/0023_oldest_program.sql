-- Older programs: stop.
-- The database names the oldest program that may work on it, so that an older one knows whether it may go on here.
-- Every migration from this one on says in its first line whether older programs may.

alter table installation
    add column oldest_schema int not null default 23,
    add column oldest_program text not null default '0.1.0';
-- What a controller has seen in its cluster that keeps it from nothing, and that somebody may want to put right.
alter table controllers add column warnings text[] not null default '{}';

comment on column installation.oldest_schema is
    'Programs that know at least this version of the schema may work here; written by migrations.';
comment on column installation.oldest_program is 'The version of a program that may.';
