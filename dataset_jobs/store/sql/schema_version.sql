-- Which schema the database has. Called at the controller's start and while it waits for a migration.
select coalesce(max(version), 0) from schema_migrations
