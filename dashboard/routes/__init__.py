"""The routes of pages, a module for each. `ALL` lists their topics."""

from dashboard.routes import (
    act,
    dataset,
    datasets,
    failures,
    job,
    jobs,
    login,
    operations,
    overview,
    pools,
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
    act.topic,
)
