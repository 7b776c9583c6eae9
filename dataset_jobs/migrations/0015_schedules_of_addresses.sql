-- Schedules that look at an address, and what the uploader says of the files of a schedule.

alter table schedules
    alter column location drop not null,
    add column url text check (url ~ '^https?://'),
    -- The publisher's name for the file there, if neither address nor server say it.
    add column filename text,
    add column year_hint smallint,
    add column sex_hint "char" check (sex_hint in ('F', 'M')),
    add column format_hint text,
    add column region_hint text,
    add column description text,
    -- What the server said of the file that was fetched last, to ask only for another one.
    add column etag text,
    add column last_modified text,
    add column note text,
    add constraint folder_or_address check ((location is null) <> (url is null));
comment on column schedules.note is 'What came of the last look at an address, in words.';

-- The files that an address has given. A new one takes the place of the datasets of earlier ones.
create table schedule_versions (
    schedule text not null references schedules on delete cascade,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    fetched_at timestamptz not null default clock_timestamp(),
    primary key (schedule, sha256)
);
