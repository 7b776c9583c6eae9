"""The routes of pages, a module for each. `ALL` lists their topics."""

from dashboard.routes import act, failures, job, jobs, login, operations, overview, pools, static

ALL = (
    static.topic, login.topic, overview.topic, jobs.topic, job.topic, failures.topic, pools.topic, act.topic,
    operations.topic,
)  # fmt: skip
