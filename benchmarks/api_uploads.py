"""Uploads for bench_api: how many small ones a second, and what memory many large ones take."""

import asyncio
import json
import shutil
import time
from pathlib import Path

from benchmarks.api_clients import connected, one_after_another, request
from benchmarks.api_servers import Served, bare_route, our_api
from benchmarks.report import Figure
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from tests.api.forms import FILE, Part, form
from tests.kit.submit import submit

MIB = 1 << 20
AT_ONCE = (1, 8)
GOAL_MIB = 150
MOST_TRIES = 1000
WARM = 1_000_000
"""Numbers of files that are not counted begin here."""


async def speeds(conninfo: str, key: str, folder: Path, files: int) -> list[Figure]:
    """Small files a second: by the API, to a bare route, and by `submit`.

    Args:
        conninfo, key: a migrated database, and a key of an uploader.
        folder: for all that is stored.
        files: how many, each time.
    """
    direct = files / await asyncio.to_thread(_submitted, conninfo, folder, files)
    figures = [Figure("uploads a second by submit, one after another", direct, "1/s")]
    with our_api(conninfo, folder) as ours, bare_route() as bare:
        for port, path in ((ours.port, "/v1/datasets/upload"), (bare.port, "/upload")):  # connections are made at first
            await one_after_another(port, [_form(path, key, WARM + number) for number in range(40)], max(AT_ONCE))
        for round_number, clients in enumerate(AT_ONCE):
            names = range(round_number * files, (round_number + 1) * files)
            made = [_form("/v1/datasets/upload", key, number) for number in names]
            speed = files / await one_after_another(ours.port, made, clients)
            plain = files / await one_after_another(bare.port, [_form("/upload", "", n) for n in names], clients)
            about = f"{clients} client{'s' if clients > 1 else ''}"
            figures += [
                Figure(f"uploads a second by the API, {about}", speed, "1/s", "submit", speed / direct),
                Figure(f"uploads a second to a bare route, {about}", plain, "1/s", "the API", plain / speed),
            ]
    return figures


def _submitted(conninfo: str, folder: Path, files: int) -> float:
    (folder / "direct").mkdir()
    storage = open_storage(StorageConfig.from_env({"STORAGE_TYPE": "local", "STORAGE_PATH": str(folder / "direct")}))
    file = folder / "yob2022.txt"
    seconds = 0.0
    with Client.connect(conninfo) as client:
        for number in range(files):
            file.write_text(f"Anna,F,{number + 5}\r\n")
            began = time.perf_counter()
            submit(client, storage, file)
            seconds += time.perf_counter() - began
    return seconds


def _form(path: str, key: str, number: int) -> bytes:
    content = f"Mary,F,{number + 5}\r\n".encode()
    return request("POST", path, key, *form(Part(FILE, content, "yob2023.txt"), Part("country", "US")))


async def memory(conninfo: str, key: str, folder: Path, uploads: int, mib: int) -> list[Figure]:
    """The resident memory of the API while many large files come at once, over that before.

    Args:
        conninfo, key: a migrated database, and a key of an uploader.
        folder: has room for all of them.
        uploads: how many at once. Those that get no place come again when they are told to.
        mib: the size of each.
    """
    spool = folder / "spool"
    spool.mkdir()
    with our_api(conninfo, folder, api_spool_dir=spool) as served:
        await one_after_another(served.port, [_form("/v1/datasets/upload", key, number) for number in range(20)], 4)
        idle = served.memory()
        served.forget_peak()
        began = time.perf_counter()
        turned_away = sum(await asyncio.gather(*(_large(served, key, number, mib * MIB) for number in range(uploads))))
        seconds, peak = time.perf_counter() - began, served.peak()
    stored = sum(path.stat().st_size >= mib * MIB for path in (folder / "storage").rglob("*") if path.is_file())
    shutil.rmtree(folder / "storage")
    over = (peak - idle) / MIB
    what = f"{uploads} uploads of {mib} MiB at once"
    return [
        Figure("memory of the API when it is idle", idle / MIB, "MiB"),
        Figure(f"{what}: memory over that", over, "MiB", goal=f"under {GOAL_MIB} MiB", met=over < GOAL_MIB),
        Figure(f"{what}: stored", stored, "files", goal=f"{uploads}", met=stored == uploads),
        Figure(f"{what}: asked to come again", turned_away, "answers"),
        Figure(f"{what}: speed", uploads * mib / seconds, "MiB/s"),
    ]


async def _large(served: Served, key: str, number: int, size: int) -> int:
    """Uploads a large file of its own; how often it was asked to come again."""
    path = f"/v1/datasets/upload/large{number}.txt?country=US&year=2023"
    head = request("PUT", path, key, more=f"Content-Length: {size}\r\nExpect: 100-continue\r\n")
    for turn in range(MOST_TRIES):
        async with connected(served.port) as connection:
            answer = await connection.send_large(head, f"{number:08}\n".encode(), size)
        if answer.status == 201:
            return turn
        if answer.status != 503:
            raise RuntimeError(f"{answer.status}: {json.loads(answer.body)['detail']}")
        await asyncio.sleep(2)
    raise RuntimeError(f"no place for {path}")
