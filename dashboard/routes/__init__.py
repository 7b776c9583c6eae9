"""The routes of pages, a module for each. `ALL` lists their topics."""

from dashboard.routes import act, failures, job, jobs, login, overview, static

ALL = (static.topic, login.topic, overview.topic, jobs.topic, job.topic, failures.topic, act.topic)
