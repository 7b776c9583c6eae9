"""What must hold in the database at every moment, as queries that find what breaks it."""

from tests.integration.world import World
from tests.outages.inline import UNFINISHED

NEVER = {
    "rows without a dataset that says they are loaded": """
        select dataset_key from names left join datasets on key = dataset_key
        group by dataset_key, loaded_at having loaded_at is null""",
    "a loaded dataset whose rows are not all there, or there twice": """
        select key, row_count, total_count, count(dataset_key), sum(count)
        from datasets left join names on dataset_key = key where loaded_at is not null group by datasets.id
        having row_count <> count(dataset_key) or total_count <> coalesce(sum(count), 0)""",
    "a loaded dataset that does not cover just what its rows are of": """
        select key from datasets where loaded_at is not null and (
            select array_agg((year, gender, rows, total) order by year, gender) from (
                select year, gender, count(*)::int as rows, sum(count)::bigint as total from names
                where dataset_key = key group by year, gender) held
        ) is distinct from (
            select array_agg((year, gender, row_count, total_count) order by year, gender)
            from coverage where dataset_key = key)""",
    "a loaded dataset without the report of just these rows": """
        select key from datasets where loaded_at is not null
            and (report ->> 'smallest')::int is distinct from (select min(count) from names where dataset_key = key)""",
    "what is superseded by a dataset that does not cover it": """
        select old.dataset_key from coverage old left join coverage new
            on new.dataset_key = old.superseded_by and new.year = old.year and new.gender = old.gender
        where old.superseded_by is not null and new.dataset_key is null""",
    "a job that committed twice": """
        select job_id from runs where committed_at is not null group by job_id having count(*) > 1""",
    "a job that is completed without a commit, or committed without being completed": """
        select jobs.id, state from jobs left join runs on job_id = jobs.id group by jobs.id
        having (state = 'completed') <> (count(committed_at) = 1)""",
    "a job and a dataset that do not agree": """
        select jobs.id, state, status from jobs join datasets on datasets.id = dataset_id
        where (state = 'running') <> (status in ('processing', 'reprocessing'))
            and jobs.created_at = (select max(created_at) from jobs as newest where newest.dataset_id = datasets.id)""",
    "a committed job whose dataset is not loaded": """
        select jobs.id from jobs join datasets on datasets.id = dataset_id
        where state = 'completed' and loaded_at is null""",
    "a running job without exactly one run that holds a slot at its epoch": """
        select jobs.id from jobs left join runs on job_id = jobs.id and epoch = lease_epoch and released_at is null
        where state = 'running' group by jobs.id having count(epoch) <> 1""",
    "an epoch without its run": """
        select jobs.id from jobs left join runs on job_id = jobs.id group by jobs.id
        having lease_epoch <> count(epoch) or lease_epoch <> coalesce(max(epoch), 0)""",
    "more runs than the pool's maximum": """
        select name from pools join runs on pool = name where released_at is null
        group by name having count(*) > max_running""",
    "more budget used than there were runs": """
        select jobs.id from jobs where retried_at = '{}' and attempts + interruptions > lease_epoch""",
}


_ALL = "select " + ", ".join(
    f'array(select row_to_json(broken)::text from ({query}) as broken) as "{what}"' for what, query in NEVER.items()
)


def check(world: World) -> None:
    """Asks all of them, at one moment."""
    broken = {what: found for what, found in world.one(_ALL).items() if found}
    assert not broken, broken


def check_finished(world: World) -> None:
    """And that nothing is left over: every job is finished, and no slot is held."""
    check(world)
    assert not world.query(UNFINISHED)
