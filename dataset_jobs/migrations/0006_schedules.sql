-- Folders of storage that are looked through again and again, and what was found there.

create table schedules (
    name text primary key check (name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'),
    cron text not null check (cron <> ''),
    timezone text not null check (timezone <> ''),
    -- A key of storage, of a folder.
    location text not null check (location ~ '^[^/]+(/[^/]+)*$'),
    country_id uuid not null references countries,
    pool text not null references pools,
    priority smallint not null default 0,
    paused boolean not null default false,
    created_at timestamptz not null default now(),
    -- The tick that is to be done next. It stays here until it is done, however often it is begun.
    next_at timestamptz not null,
    -- Whoever is at it, and until when nobody else begins it: held for as long, or after an error.
    holder uuid,
    not_before timestamptz,
    -- Errors one after the other.
    failures int not null default 0 check (failures >= 0),
    -- What came of the last look: files that were found, and of those how many were submitted.
    looked_at timestamptz,
    files int check (files >= 0),
    submitted int check (submitted >= 0),
    error text,
    constraint held_for_a_time check (holder is null or not_before is not null),
    constraint looked_is_described check (
        (looked_at is null) = (files is null) and (looked_at is null) = (submitted is null))
);
create trigger schedules_added after insert on schedules for each statement execute function notify_jobs();
create trigger schedules_paused after update of paused on schedules for each statement execute function notify_jobs();

-- The hash of every file that was read, so that the next look need not read it again. To be emptied at will.
create table schedule_files (
    schedule text not null references schedules on delete cascade,
    uri text not null,
    version text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    primary key (schedule, uri)
);

-- Room for a second version of every row of a page: a claim of hundreds then touches none of its indexes, and takes a fifth
-- less time. There are few datasets.
alter table datasets set (fillfactor = 50);
