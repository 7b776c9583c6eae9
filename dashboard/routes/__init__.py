"""The routes of pages, a module for each. `ALL` lists their topics."""

from dashboard.routes import act, failures, job, jobs, keyboard, login, operations, overview, pools, selection, static

ALL = (
    static.topic, login.topic, overview.topic, jobs.topic, job.topic, failures.topic, pools.topic, act.topic,
    operations.topic,
    selection.topic, keyboard.topic,
)  # fmt: skip
