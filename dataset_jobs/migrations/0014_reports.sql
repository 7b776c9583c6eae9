-- What a load left out, and why.

-- Null: loaded by an older version, which kept none.
alter table datasets add column report jsonb
    constraint only_what_is_loaded_is_reported check (report is null or loaded_at is not null);
comment on column datasets.report is 'What was left out of the rows that are loaded, by the reason, and the smallest count.';
