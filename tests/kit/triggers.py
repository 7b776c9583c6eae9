"""Triggers by which a database itself keeps what no sample would be sure to see."""

NOTE_RESUMED = """
create table public.resumed (job_id uuid, epoch int, primary key (job_id, epoch));
create function note_resumed() returns trigger language plpgsql security definer as $$
begin
    insert into public.resumed values (new.job_id, new.epoch) on conflict do nothing;
    return null;
end $$;
create trigger note_resumed after update of released_at on runs for each row
    when (old.released_at is not null and new.released_at is null) execute function note_resumed();
"""
"""Keeps which runs were over and held a slot again: each try is a run of its own, with an epoch of its own."""

COUNT_CLAIMS = """
create table claims_seen (unreleased int not null);
create function count_claims() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into claims_seen select count(*) from runs where released_at is null;
    return null;
end $$;
create trigger count_claims after insert on runs for each statement execute function count_claims();
"""
"""Counts inside every transaction that claims, under the lock of the pool's row: no peak escapes it."""
