"""The storage that a command puts files into, or takes them from."""

from app.settings import Settings
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.local_machine import is_about_the_path, machine_error
from dataset_jobs.storage import StorageConfig


def storage_config(settings: Settings) -> StorageConfig:
    """The STORAGE_* settings; the default folder is made.

    Raises:
        Misconfigured: a setting is wrong, or the default folder cannot be made.
    """
    config = settings.storage
    # A STORAGE_PATH that is missing may be a volume that is not mounted; the default folder is ours to make.
    if config.path is not None and not settings.storage_path:
        try:
            config.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            config.path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            if not is_about_the_path(error):
                raise machine_error(error, f"make {config.path}") from None
            raise Misconfigured(
                f"AFFIRM_WORKER_HOME {settings.home}: {error.strerror}; set it to a folder of your own, or set"
                " STORAGE_PATH",
                Reason.CONFIG,
            ) from None
    return config
