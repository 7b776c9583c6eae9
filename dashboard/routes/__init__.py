"""The routes of pages, a module for each. `ALL` lists their topics."""

from dashboard.routes import (
    act,
    audit,
    dataset,
    datasets,
    failures,
    job,
    jobs,
    keys,
    login,
    operations,
    overview,
    pools,
    schedules,
    settings,
    static,
    upload,
)

ALL = (
    static.topic,
    login.topic,
    overview.topic,
    jobs.topic,
    job.topic,
    failures.topic,
    datasets.topic,
    dataset.topic,
    operations.topic,
    pools.topic,
    upload.topic,
    schedules.topic,
    settings.topic,
    keys.topic,
    audit.topic,
    act.topic,
)
