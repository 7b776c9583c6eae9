"""The main job on a real Kubernetes: helm install, submit to S3, pods, rows."""

import hashlib
import json
import time
from pathlib import Path

from tests.e2e.installation import BUCKET, NATIONAL, Installation


def checksum_of_files(files: list[Path]) -> tuple[int, str]:
    """Rows, and a checksum over them all; counted without the product's parser."""
    lines = []
    for path in files:
        for line in path.read_text().split():
            name, sex, count = line.split(",")
            lines.append(f"{path.name[3:7]},{sex},{name},{count}")
    return len(lines), hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def checksum_of_database(installation: Installation, dataset_ids: list[str]) -> tuple[int, str]:
    """The same, over the loaded rows."""
    rows = installation.query(
        "select concat_ws(',', year, gender, name, count) as line"
        " from names join datasets on key = dataset_key where id = any(%s)",
        dataset_ids,
    )
    lines = sorted(row["line"] for row in rows)
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_ten_real_files_become_rows_by_pods(installation: Installation) -> None:
    assert len(NATIONAL) == 10
    submitted = installation.submit(*NATIONAL)
    shown: set[str] = set()
    deadline = time.monotonic() + 100
    while not shown and time.monotonic() < deadline:
        shown = {pod["metadata"]["name"] for pod in installation.runner_pods()}
    assert shown, "kubectl get pods -l app=affirm-parser shows nothing"

    jobs = installation.until_finished(submitted)
    assert [(job["state"], job["attempts"]) for job in jobs] == [("completed", 0)] * 10
    ids = [one["dataset_id"] for one in submitted]
    assert checksum_of_database(installation, ids) == checksum_of_files(NATIONAL)
    listed = json.loads(installation.cli("datasets", "list", "--json").stdout)
    assert {one["status"] for one in listed if one["id"] in ids} == {"completed"}
    runs = installation.query("select * from runs where job_id = any(%s)", [one["job_id"] for one in submitted])
    assert len(runs) == 10
    assert all(run["node"] and run["pod_name"] and run["evidence"]["exit_code"] == 0 for run in runs)


def test_a_settled_job_is_left_to_expire_and_carries_the_labels(installation: Installation, tmp_path: Path) -> None:
    [submitted] = installation.submit_small(tmp_path)
    installation.until_finished([submitted])
    [job] = [
        job
        for job in installation.runner_jobs()
        if job["metadata"]["labels"]["affirm.dev/job-id"] == submitted["job_id"]
    ]
    installation.cluster.wait(
        lambda: any(
            one["spec"].get("ttlSecondsAfterFinished")
            for one in installation.runner_jobs()
            if one["metadata"]["name"] == job["metadata"]["name"]
        ),
        "the Job's time to live",
    )
    labels = job["metadata"]["labels"]
    installation_id = installation.query("select id from installation")[0]["id"]
    assert labels["app"] == "affirm-parser"
    assert labels["affirm.dev/installation"] == str(installation_id)
    assert labels["app.kubernetes.io/name"] == "affirm-worker"
    assert job["spec"]["backoffLimit"] == 0
    assert "activeDeadlineSeconds" not in job["spec"]
    assert job["spec"]["template"]["spec"]["activeDeadlineSeconds"] > 0


def test_bad_files_fail_after_one_attempt_with_the_line_and_the_reason(
    installation: Installation, tmp_path: Path
) -> None:
    malformed = tmp_path / "yob1991.txt"
    malformed.write_text("Mary,F,10\r\nAnna,F\r\n")
    unnamed = tmp_path / "names.txt"
    unnamed.write_text("Mary,F,11\r\n")
    foreign = tmp_path / "prenoms.txt"
    foreign.write_text("Marie,F,12\r\n")
    submitted = [*installation.submit(malformed, unnamed), *installation.submit(foreign, country="JP")]
    jobs = installation.until_finished(submitted)
    assert [(job["state"], job["attempts"], job["last_cause"]) for job in jobs] == [("failed", 1, "rejected")] * 3
    errors = [job["last_error"] for job in jobs]
    assert "yob1991.txt, line 2: expected 3 fields" in errors[0]
    assert "the year stands only in the file's name" in errors[1]
    assert "there is no parser for files of JP" in errors[2]


def test_an_unknown_country_is_refused_at_submit(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "yob1992.txt"
    file.write_text("Mary,F,13\r\n")
    refused = installation.cli("submit", file, "--country", "XX", check=False)
    assert refused.returncode == 65
    assert "XX" in refused.stderr
    assert not installation.query("select 1 from datasets where filename = 'yob1992.txt'")


def test_a_file_that_left_the_bucket_is_said_to_be_missing(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "yob1993.txt"
    file.write_text("Mary,F,14\r\n")
    installation.query("update pools set paused = true")
    [submitted] = installation.submit(file)
    uri = installation.query("select storage_uri from datasets where id = %s", submitted["dataset_id"])[0][
        "storage_uri"
    ]
    (installation.bucket / uri.removeprefix(f"s3://{BUCKET}/")).unlink()
    installation.query("update pools set paused = false")
    [job] = installation.until_finished([submitted])
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert "no such file in storage" in job["last_error"]
