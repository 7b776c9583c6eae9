-- Makes a pool as its ParserPool has it, unless a later description of it is in force. Called when the resource changes,
-- and every minute.
insert into pools (name, max_running, max_pending, paused, described)
values (%(pool)s, %(max_running)s, %(max_pending)s, %(paused)s, %(described)s)
on conflict (name) do update set
    max_running = excluded.max_running, max_pending = excluded.max_pending, paused = excluded.paused,
    described = excluded.described
where pools.described <= excluded.described
    and (pools.max_running, pools.max_pending, pools.paused, pools.described)
        is distinct from (excluded.max_running, excluded.max_pending, excluded.paused, excluded.described)
