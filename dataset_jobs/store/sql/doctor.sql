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
cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as kinds (privilege)
where tables.relkind in ('r', 'v') and has_table_privilege(tables.oid, kinds.privilege)
union all
select tables.relname::text, kinds.privilege, columns.attname::text
from pg_class as tables
join pg_namespace as namespaces on namespaces.oid = tables.relnamespace and namespaces.nspname = %(schema)s
join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum > 0 and not columns.attisdropped
cross join unnest(array['SELECT', 'INSERT', 'UPDATE']) as kinds (privilege)
where tables.relkind = 'r' and not has_table_privilege(tables.oid, kinds.privilege)
    and has_column_privilege(tables.oid, columns.attnum, kinds.privilege)
union all
select sequences.relname::text, 'USAGE', ''
from pg_class as sequences
join pg_namespace as namespaces on namespaces.oid = sequences.relnamespace and namespaces.nspname = %(schema)s
where case when sequences.relkind = 'S' then has_sequence_privilege(sequences.oid, 'USAGE, SELECT, UPDATE') else false end

-- name: doctor.tables
-- Reads the names of our tables and views.
select tables.relname::text as name
from pg_class as tables
join pg_namespace as namespaces on namespaces.oid = tables.relnamespace and namespaces.nspname = %(schema)s
where tables.relkind in ('r', 'v')

-- name: doctor.functions
-- Reads our functions, and whether the role may call them.
select functions.proname::text as name, functions.oid::regprocedure::text as signature,
    has_function_privilege(functions.oid, 'execute') as callable
from pg_proc as functions
join pg_namespace as namespaces on namespaces.oid = functions.pronamespace and namespaces.nspname = %(schema)s
order by 2

-- name: doctor.other_tables
-- Reads the tables of others in this database on which the role has a right. Those of extensions are for everybody.
select tables.oid::regclass::text as name
from pg_class as tables
join pg_namespace as namespaces on namespaces.oid = tables.relnamespace
    and namespaces.nspname not in (%(schema)s, 'information_schema') and namespaces.nspname !~ '^pg_'
where tables.relkind in ('r', 'v', 'm', 'p', 'f') and has_schema_privilege(namespaces.oid, 'usage')
    and (has_table_privilege(tables.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        or has_any_column_privilege(tables.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = tables.oid and deptype = 'e')
order by 1

-- name: doctor.owner
-- Reads who owns our tables, and whether the role of the session acts for them.
select pg_get_userbyid(tables.relowner)::text as owner, pg_has_role(tables.relowner, 'member') as owns
from pg_class as tables
join pg_namespace as namespaces on namespaces.oid = tables.relnamespace and namespaces.nspname = %(schema)s
where tables.relname = 'schema_migrations'

-- name: doctor.powers
-- Reads what the role may do besides: in which groups it is, and what it may create.
select
    array_remove(array[case when rolcreaterole then 'createrole' end, case when rolcreatedb then 'createdb' end,
        case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end], null) as attributes,
    array(select format('revoke %%s from %%s;', roleid::regrole, member::regrole) from pg_auth_members
        where member in (roles.oid, (select oid from pg_roles where rolname = %(group)s))
            and roleid::regrole::text <> %(group)s order by 1) as revokes,
    array(select others.rolname::text from pg_roles as others
        where others.oid <> roles.oid and others.rolname <> 'pg_database_owner' and pg_has_role(others.oid, 'member')
            and (others.rolname ~ '^pg_' or others.rolsuper or others.rolcreaterole or others.rolcreatedb
                or others.rolreplication or others.rolbypassrls)
        order by 1) as groups,
    has_database_privilege(current_database(), 'temporary') as temporary,
    has_database_privilege(current_database(), 'create') as creating,
    array(select nspname::text from pg_namespace where nspname !~ '^pg_' and has_schema_privilege(oid, 'create')
        order by 1) as schemas
from pg_roles as roles
where rolname = current_user

-- name: doctor.role_settings
-- Reads the settings that a role has of its own in this database, if it may change them itself.
select setting, current_database()::text as database
from pg_db_role_setting, unnest(setconfig) as setting
where setrole = (select oid from pg_roles where rolname = %(role)s)
    and setdatabase in (0, (select oid from pg_database where datname = current_database()))
    and coalesce((select context from pg_settings where name = split_part(setting, '=', 1)), 'user') = 'user'
order by 1

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
