-- How many runs a pool is to have, who decides that, and what the next decision needs of those before it.

alter table pools
    -- The least that is desired while jobs wait; the most is max_running.
    add column min_running int not null default 0 check (min_running >= 0),
    -- So many runs there are to be; null: nobody has decided, and max_running alone holds. Claims take the lesser one.
    add column desired int check (desired >= 0),
    -- Which limit keeps it from what would be due, null where none does; and all of it in words.
    add column limited_by text,
    add column reason text,
    -- When it was changed.
    add column decided_at timestamptz,
    -- The controller to which the others leave the deciding, and until when.
    add column decided_by text,
    add column decided_until timestamptz,
    -- Rises with every decision. One is written only over the one that it was made from.
    add column decision bigint not null default 0,
    -- Of the description of the pool that it was made with: one that is older is not heeded.
    add column generation bigint not null default 0,
    -- See controller/policy/history.py. It never grows beyond a few hundred figures.
    add column history jsonb not null default '{}',
    add constraint desired_is_described check (
        (desired is null) = (reason is null) and (desired is null) = (decided_at is null)
        and (desired is null) = (decided_by is null) and (desired is null) = (decided_until is null));
