-- A file whose content fits several formats or regions can be loaded: the uploader says which.

alter table datasets
    add column format_hint text,
    add column region_hint text,
    add column description text;
comment on column datasets.description is 'The columns of a file that no parser knows, as canonical JSON.';
