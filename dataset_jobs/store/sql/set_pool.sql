-- Sets a pool's maxima, unless a ParserPool has, and makes the pool where it is new. Called at the controller's start.
insert into pools (name, max_running, max_pending)
values (%(pool)s, coalesce(%(max_running)s, 64), coalesce(%(max_pending)s, 100))
on conflict (name) do update set
    max_running = case when pools.described = 0 then coalesce(%(max_running)s, pools.max_running)
        else pools.max_running end,
    max_pending = case when pools.described = 0 then coalesce(%(max_pending)s, pools.max_pending)
        else pools.max_pending end
returning max_running
