"""The routes of pages, a module for each. `ALL` lists their topics."""

from dashboard.routes import act, failures, job, jobs, login, overview, pools, schedules, static

ALL = (
    static.topic, login.topic, overview.topic, jobs.topic, job.topic, failures.topic, pools.topic, schedules.topic,
    act.topic,
)  # fmt: skip
