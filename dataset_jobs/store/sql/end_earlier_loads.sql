-- Ends what earlier epochs of this job may still be loading, and ended jobs of the same dataset: what they hold would
-- be waited for. How many there still were. Called by the runner that takes a run, again until it says 0.
select coalesce(sum(terminate_runners(jobs.id, case when jobs.id = %(job_id)s then %(epoch)s - 1 else 2147483647 end)),
    0)::bigint as still_loading
from jobs join jobs this on this.dataset_id = jobs.dataset_id
where this.id = %(job_id)s and (jobs.id = this.id or jobs.state in ('failed', 'cancelled'))
