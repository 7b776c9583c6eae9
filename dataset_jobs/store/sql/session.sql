-- What holds for every transaction, and what is asked before the first one.

-- name: session.limits
-- The first statement of every transaction of a client and of a controller. No statement waits longer than 30 s for a
-- lock. Postgres ends a transaction that says nothing for longer than `patience`: it does not notice a machine or
-- network that is gone.
select set_config('lock_timeout', '30s', true),
    set_config('idle_in_transaction_session_timeout', %(patience)s, true)

-- name: session.schema_version
-- Which schema the database has. Called at the controller's start and while it waits for a migration.
select coalesce(max(version), 0) as version from schema_migrations

-- name: session.installation
-- The id of this installation. Called at the controller's start.
select id from installation

-- name: session.database_time
-- The time that counts. Called by schedules add, status and jobs explain.
select clock_timestamp() as now
