-- Which controllers there are, those that have nothing to do as well, and what keeps them from their work.
create table controllers (
    owner text primary key,
    launcher text not null,
    -- Those that it claims from.
    pools text[] not null,
    started_at timestamptz not null default clock_timestamp(),
    -- Renewed every 15 seconds. A controller that ends in order removes its row.
    seen_at timestamptz not null default clock_timestamp(),
    trouble text,
    -- It does not pass by itself.
    trouble_permanent boolean not null default false,
    trouble_since timestamptz,
    trouble_tries int not null default 0,
    check ((trouble is null) = (trouble_since is null))
);
