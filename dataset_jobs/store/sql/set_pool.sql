-- Sets a pool's maxima, and makes the pool where it is new. Called at the controller's start.
insert into pools (name, max_running, max_pending)
values (%(pool)s, coalesce(%(max_running)s, 64), coalesce(%(max_pending)s, 100))
on conflict (name) do update set max_running = coalesce(%(max_running)s, pools.max_running),
    max_pending = coalesce(%(max_pending)s, pools.max_pending)
returning max_running
