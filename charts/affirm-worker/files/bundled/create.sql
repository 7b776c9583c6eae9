create role affirm_owner
create role affirm_controller
create role affirm_runner
create role affirm_api
create role names_owner login connection limit 10
create role names_controller login connection limit 25 in role affirm_controller
create role names_runner login connection limit 50 in role affirm_runner
create role names_api login connection limit 12 in role affirm_api
grant pg_signal_backend to names_owner
create database names owner names_owner
