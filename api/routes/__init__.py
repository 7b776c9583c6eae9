"""The routes, a module for each topic. `ALL` lists the topics in the order of the documents."""

from api.routes import (
    audit,
    countries,
    dataset_acts,
    document,
    failures,
    health,
    job_acts,
    keys,
    me,
    operation_acts,
    parsers,
    pool_acts,
    schedule_acts,
    status,
    stories,
    streams,
    uploads,
)

ALL = (
    health.topic,
    document.topic,
    me.topic,
    status.topic,
    uploads.topic,
    # Where acts have a module of their own, they are of the topic of what they act on.
    dataset_acts.topic,
    job_acts.topic,
    stories.topic,
    streams.topic,
    failures.topic,
    pool_acts.topic,
    schedule_acts.topic,
    operation_acts.topic,
    countries.topic,
    parsers.topic,
    audit.topic,
    keys.topic,
)
