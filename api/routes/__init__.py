"""The routes, a module for each topic. `ALL` lists the topics in the order of the documents."""

from api.routes import (
    audit,
    countries,
    datasets,
    document,
    failures,
    health,
    jobs,
    me,
    operations,
    parsers,
    pools,
    schedules,
    status,
    stories,
)

ALL = (
    health.topic,
    document.topic,
    me.topic,
    status.topic,
    datasets.topic,
    jobs.topic,
    stories.topic,
    failures.topic,
    pools.topic,
    schedules.topic,
    operations.topic,
    countries.topic,
    parsers.topic,
    audit.topic,
)
