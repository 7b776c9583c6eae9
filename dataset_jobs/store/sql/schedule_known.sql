-- What a schedule has read before, and whether a dataset of its country is those bytes. Called by each look.
select uri, version, sha256,
    exists (select from datasets where datasets.country_id = schedules.country_id and datasets.sha256 = f.sha256) as known
from schedule_files f join schedules on schedules.name = f.schedule
where f.schedule = %(schedule)s
