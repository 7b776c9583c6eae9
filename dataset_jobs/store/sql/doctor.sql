-- What a check of the installation asks. Nothing is changed. No schema and no right is taken for granted.

-- name: doctor.session
-- Reads who is logged in where, and how much room for connections there is.
select current_user::text as role, roles.rolsuper as superuser, roles.rolconnlimit as role_limit,
    current_database()::text as database, pg_get_userbyid(databases.datdba)::text as owner,
    current_setting('server_version') as version, current_setting('server_version_num')::int as version_number,
    clock_timestamp() as now, pg_is_in_recovery() as standby, pg_postmaster_start_time() as started,
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0) as most,
    (select sum(numbackends)::int from pg_stat_database) as used
from pg_roles as roles, pg_database as databases
where roles.rolname = current_user and databases.datname = current_database()

-- name: doctor.schema
-- Reads whether the schema is there and may be used, and whether our table of migrations is in it and may be read.
select namespaces.oid is not null as there,
    coalesce(has_schema_privilege(namespaces.oid, 'usage'), false) as usable,
    tables.oid is not null as migrated,
    coalesce(has_table_privilege(tables.oid, 'select'), false) as readable
from (select %(schema)s::name as name) as wanted
left join pg_namespace as namespaces on namespaces.nspname = wanted.name
left join pg_class as tables on tables.relnamespace = namespaces.oid and tables.relname = 'schema_migrations'

-- name: doctor.privileges
-- Reads which rights the role has on our tables: those on a whole table, and those on single columns of others.
select tables.relname::text as table, kinds.privilege, '' as column
from pg_class as tables
join pg_namespace as namespaces on namespaces.oid = tables.relnamespace and namespaces.nspname = %(schema)s
cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as kinds (privilege)
where tables.relkind in ('r', 'v') and has_table_privilege(tables.oid, kinds.privilege)
union all
select tables.relname::text, kinds.privilege, columns.attname::text
from pg_class as tables
join pg_namespace as namespaces on namespaces.oid = tables.relnamespace and namespaces.nspname = %(schema)s
join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum > 0 and not columns.attisdropped
cross join unnest(array['SELECT', 'INSERT', 'UPDATE']) as kinds (privilege)
where tables.relkind = 'r' and not has_table_privilege(tables.oid, kinds.privilege)
    and has_column_privilege(tables.oid, columns.attnum, kinds.privilege)

-- name: doctor.tables
-- Reads the names of our tables and views.
select tables.relname::text as name
from pg_class as tables
join pg_namespace as namespaces on namespaces.oid = tables.relnamespace and namespaces.nspname = %(schema)s
where tables.relkind in ('r', 'v')

-- name: doctor.groups
-- Reads whether a group role is there, and whether the role of the session is in it.
select exists (select from pg_roles where rolname = %(group)s) as there,
    coalesce((select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = %(group)s), false) as member

-- name: doctor.terminating
-- Reads whether the function that ends a runner's connection may be called, and may do so.
select functions.oid is not null as there,
    coalesce(has_function_privilege(functions.oid, 'execute'), false) as callable,
    pg_get_userbyid(functions.proowner)::text as owner,
    coalesce(owners.rolsuper or pg_has_role(owners.oid, 'pg_signal_backend', 'usage'), false) as effective
from (select %(schema)s::name as name) as wanted
left join pg_namespace as namespaces on namespaces.nspname = wanted.name
left join pg_proc as functions on functions.pronamespace = namespaces.oid and functions.proname = 'terminate_runners'
left join pg_roles as owners on owners.oid = functions.proowner

-- name: doctor.descriptions
-- Reads each description once, with the newest dataset that has it.
select distinct on (description) id, description
from datasets
where description is not null
order by description, created_at desc
limit 1000
