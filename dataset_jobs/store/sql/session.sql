-- The limits of every transaction, and facts about the installation.

-- name: session.limits
-- The first statement of every transaction of a client and of a controller. A statement waits at most 30 s for a lock.
-- Postgres ends a transaction that says nothing for longer than `patience`: it does not notice a machine or network
-- that is gone.
select set_config('lock_timeout', '30s', true),
    set_config('idle_in_transaction_session_timeout', %(patience)s, true)

-- name: session.schema_version
-- Reads which schema the database has.
select coalesce(max(version), 0) as version from schema_migrations

-- name: session.oldest_program
-- Reads the oldest program that may work on the database. Asked only where its schema is newer than the program that asks.
select oldest_schema, oldest_program from installation

-- name: session.installation
-- Reads the id of this installation, at the controller's start.
select id from installation

-- name: session.database_time
-- Reads the database's clock, by which all times are.
select clock_timestamp() as now
