-- Sets a pool's maximum, and makes the pool where it is new. Called at the controller's start.
insert into pools (name, max_running) values (%(pool)s, coalesce(%(max_running)s, 64))
on conflict (name) do update set max_running = coalesce(%(max_running)s, pools.max_running)
returning max_running
