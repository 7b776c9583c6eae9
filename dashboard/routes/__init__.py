"""The routes of pages, a module for each. `ALL` lists their topics."""

from dashboard.routes import (
    act,
    audit,
    doctor,
    failures,
    job,
    jobs,
    keys,
    login,
    overview,
    pools,
    schedules,
    settings,
    static,
)

ALL = (
    static.topic, login.topic, overview.topic, jobs.topic, job.topic, failures.topic, pools.topic, schedules.topic,
    settings.topic, keys.topic, audit.topic, doctor.topic, act.topic,
)  # fmt: skip
