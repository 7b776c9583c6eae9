-- Why the newest description of a pool is refused, for those whose jobs wait for it.

alter table pools add column refusal text;
comment on column pools.refusal is 'Why the newest generation of its ParserPool is refused; null if it is in force.';
