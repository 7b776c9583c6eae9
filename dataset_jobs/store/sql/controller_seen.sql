-- A controller is there, and says what keeps it from its work. Forgets those that were not heard of for a day. Called by
-- controllers every 15 seconds, and when something has changed.
with forgotten as (
    delete from controllers where owner = any (array(
        select owner from controllers where seen_at < clock_timestamp() - interval '1 day' and owner <> %(owner)s
        for update skip locked))
)
insert into controllers (owner, launcher, pools, trouble, trouble_permanent, trouble_since, trouble_tries)
values (%(owner)s, %(launcher)s, %(pools)s, %(trouble)s::text, %(permanent)s,
    case when %(trouble)s::text is not null then clock_timestamp() - %(lasting)s::interval end, %(tries)s)
on conflict (owner) do update set
    pools = excluded.pools, seen_at = clock_timestamp(), trouble = excluded.trouble,
    trouble_permanent = excluded.trouble_permanent, trouble_since = excluded.trouble_since,
    trouble_tries = excluded.trouble_tries
