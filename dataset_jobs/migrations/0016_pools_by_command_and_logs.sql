-- Pools that people change by commands, and what a run says while it is at work.

alter table pools
    -- Since when it is paused, and why, as somebody said it.
    add column paused_since timestamptz,
    add column paused_reason text,
    -- The settings of the controller that started last. A setting changes the pool only if it differs from these: so what
    -- somebody has set by command outlives a restart.
    add column setting_max_running int,
    add column setting_max_pending int,
    -- The namespace of the ParserPool that describes the pool.
    add column described_in text;

alter table runs
    -- The last lines of the runner's log, and how many there were before them: see dataset_jobs/model/run_log.py.
    add column log jsonb;
