-- What a load saw and did not refuse.

alter table datasets add column warning text;
comment on column datasets.warning is 'What may be wrong with the rows that are loaded, though the file was not refused.';
