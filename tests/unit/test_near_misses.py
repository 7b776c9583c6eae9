"""Which variables count as mistyped settings, and which are other programs'."""

import pytest

from app.settings import Settings
from app.settings.near_misses import distance, mistyped, nearest

SETTINGS = {name.upper() for name in Settings.model_fields}


def meant(variable: str, *given: str) -> str | None:
    return dict(mistyped([variable], SETTINGS, SETTINGS - {*given})).get(variable)


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_ULR", "DATABASE_URL"),
        ("DATABASEURL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("databse_url", "DATABASE_URL"),
        ("STORAGE_BUCKT", "STORAGE_S3_BUCKET"),
        ("STORAGE_BUCKET", "STORAGE_S3_BUCKET"),
        ("STORAGE_S3_BUKCET", "STORAGE_S3_BUCKET"),
        ("STORAGE_TYP", "STORAGE_TYPE"),
        ("WORKER_CONCURENCY", "WORKER_CONCURRENCY"),
        ("WORKER_RETRIES", "WORKER_MAX_RETRIES"),
        ("LIMIT_ROW", "LIMIT_ROWS"),
        ("RUNNER_DATABSE_URL", "RUNNER_DATABASE_URL"),
        ("AFFIRM_WORKER_HOEM", "AFFIRM_WORKER_HOME"),
    ],
)
def test_a_mistyped_setting_is_recognised(variable: str, setting: str) -> None:
    assert meant(variable) == setting


OTHERS = """
    ANDROID_HOME APP_DATABASE_URL AWS_REGION AWS_S3_BUCKET BASH_ENV CI COLUMNS DATABASE DATABASE_HOST DATABASE_NAME
    DATABASE_PASSWORD DATABASE_PORT DATABASE_USER DB_URL EDITOR GITHUB_RUN_ID GITHUB_TOKEN HEALTH_PATH HOME HOSTNAME
    JAVA_HOME KUBERNETES_PORT KUBERNETES_SERVICE_HOST LANG LC_ALL LINES LOGLEVEL LOGNAME LOG_DIR LOG_FILE LOG_LEVELS
    MAIL NAMESPACES OLDPWD PATH PGDATABASE PGHOST PGPORT PGUSER POD_NAMESPACE POOLS POOL_SIZE PORT POSTGRES_URL PWD
    PYTHONPATH REDIS_URL RUNNER_ARCH RUNNER_CONTEXT RUNNER_NAME RUNNER_OS RUNNER_TEMP RUNNER_TOOL_CACHE S3_BUCKET
    S3_ENDPOINT S3_REGION SHELL SHLVL SPOOL SSH_TTY STORAGE STORAGE_ACCOUNT STORAGE_KEY STORAGE_URL TERM TMPDIR TOOL
    TZ USER WORKER WORKERS WORKER_CLASS WORKER_COUNT WORKER_GID WORKER_NAME WORKER_PID WORKER_TIMEOUT WORKER_THREADS
    XDG_CONFIG_HOME AFFIRM_WORKER_PORT AFFIRM_WORKER_SERVICE_HOST AFFIRM_WORKER_SERVICE_PORT _ DATABASE_URL_TEST
    TEST_DATABASE_URL AFFIRM_TEST_POSTGRES
"""


@pytest.mark.parametrize("variable", OTHERS.split())
def test_a_variable_of_another_program_is_left_alone(variable: str) -> None:
    assert meant(variable) is None


def test_nothing_is_said_of_a_setting_that_is_set() -> None:
    assert meant("DATABASE_URI", "DATABASE_URL") is None
    assert meant("DATABASE_URL") is None


def test_the_distance_counts_letters() -> None:
    assert [distance(*pair) for pair in (("", "ab"), ("ab", "ab"), ("ab", "ba"), ("abc", "ac"), ("x", "yz"))] == [
        2, 0, 1, 1, 2,
    ]  # fmt: skip


def test_the_nearest_name_is_near() -> None:
    assert nearest("prd", ["dev", "prod"]) == "prod"
    assert nearest("PROD", ["dev", "prod"]) == "prod"
    assert nearest("elsewhere", ["dev", "prod"]) is None
    assert nearest("prod", []) is None
