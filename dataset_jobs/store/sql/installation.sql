-- The id of this installation. Called at the controller's start.
select id from installation
