"""Uploads that are no uploads: each is refused with what to do, and nothing of it is kept."""

from typing import Any

import pytest

from tests.api.client import Api
from tests.api.forms import BOUNDARY, FILE, Part, end, form
from tests.api.uploading import CONTENT, NOTHING, kept, send, stored, upload

COUNTRY = Part("country", "US")
THE_FILE = Part(FILE, CONTENT, "yob2020.txt")

FORMS: dict[str, tuple[list[Part], int, str, str]] = {
    "no file": ([COUNTRY], 422, "field-invalid", "curl -F file=@NAME"),
    "no part at all": ([], 422, "field-invalid", "curl -F file=@NAME"),
    "no file chosen": ([Part(FILE, "", ""), COUNTRY], 422, "field-invalid", "no file was chosen"),
    "a file as a field": ([Part(FILE, CONTENT), COUNTRY], 422, "field-invalid", "no file name"),
    "two files": ([THE_FILE, THE_FILE, COUNTRY], 422, "field-invalid", "several files"),
    "a field as a file": ([THE_FILE, Part("country", "US", "us.txt")], 422, "field-invalid", "only the field file"),
    "an unknown field": ([THE_FILE, Part("contry", "US")], 422, "field-invalid", "did you mean country?"),
    "a field of the reader's own": ([THE_FILE, Part("xyzzy", "US")], 422, "field-invalid", "known are batch, columns"),
    "a field twice": ([THE_FILE, COUNTRY, COUNTRY], 422, "field-invalid", "it came twice"),
    "a long field": ([THE_FILE, Part("batch", "x" * 5000)], 422, "field-invalid", "more than 4,096 bytes"),
    "many fields": ([Part("replaces", "x")] * 17, 422, "field-invalid", "more than 16 fields"),
    "no text": ([THE_FILE, Part("country", b"\xff")], 422, "field-invalid", "not UTF-8"),
    "no country": ([THE_FILE], 422, "field-invalid", "country=US"),
    "an empty country": ([THE_FILE, Part("country", " ")], 422, "field-invalid", "country=US"),
    "two countries": ([THE_FILE, COUNTRY, Part("country_id", "DE")], 422, "field-invalid", "not both"),
    "an unknown country": ([THE_FILE, Part("country", "UK")], 404, "country-not-found", "did you mean GB"),
    "an unknown country's id": (
        [THE_FILE, Part("country_id", "00000000-0000-4000-8000-000000000000")], 404, "country-not-found", "of the id",
    ),
    "a dataset to replace that is none": (
        [THE_FILE, COUNTRY, Part("replaces", "00000000-0000-4000-8000-000000000000")], 404, "not-found", "no such",
    ),
    "an unknown pool": ([THE_FILE, COUNTRY, Part("pool", "elsewhere")], 422, "field-invalid", "no pool 'elsewhere'"),
    "an empty file": ([Part(FILE, "", "yob2020.txt"), COUNTRY], 422, "empty-file", "has no bytes"),
    "base64": (
        [Part(FILE, "TWFyeQ==", "a.txt", "Content-Transfer-Encoding: base64\r\n"), COUNTRY],
        400, "malformed-multipart", "send it as it is",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_is_none_is_refused(api: Api, name: str) -> None:
    parts, status, code, words = FORMS[name]
    answer = send(api, *parts)
    assert (answer.status, answer.code) == (status, code), answer.text
    assert words in answer.json["detail"]
    assert kept(api) == NOTHING


VALUES = {
    "year": ("1066", "from 1800 to 2100"), "sex": ("x", "F or M"), "format": ("?", "such as de-koeln"),
    "region": ("?", "ISO 3166-2"), "columns": ("name=", ""), "measure": ("births", "goes with columns"),
    "replaces": ("1", "id of a dataset"), "priority": ("40000", "from -32768 to 32767"),
    "run_at": ("soon", "2026-12-01T06:00"), "sha256": ("0", "64 hexadecimal digits"),
    "batch": ("x" * 101, "at most 100 characters"), "validate_only": ("maybe", "true or false"),
}  # fmt: skip


def test_every_wrong_value_is_named_in_one_answer(api: Api) -> None:
    wrong: dict[str, Any] = {name: value for name, (value, _) in VALUES.items()}
    answer = upload(api, **wrong)
    assert (answer.status, answer.code) == (422, "field-invalid")
    said = {one["field"]: one["message"] for one in answer.json["errors"]}
    assert said.keys() == VALUES.keys()
    assert [name for name, (_, words) in VALUES.items() if words not in said[name]] == []
    assert kept(api) == NOTHING


def test_wrong_values_in_the_address_are_named_before_the_file_is_sent(api: Api) -> None:
    query = {"contry": "US"}
    answer = api.request("PUT", "/v1/datasets/upload/a.txt", CONTENT, role="uploader", query=query)
    assert (answer.status, answer.code) == (400, "unknown-parameter")
    assert "did you mean country?" in answer.json["detail"]
    answer = api.request("PUT", "/v1/datasets/upload/a.txt", CONTENT, role="uploader", query={"year": "x"})
    assert {one["field"] for one in answer.json["errors"]} == {"year", "country"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 415, "unsupported-type"),
        ({"Content-Type": "text/plain"}, 415, "unsupported-type"),
        ({"Content-Type": "application/json"}, 415, "unsupported-type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported-type"),
        ({"Content-Type": "multipart/mixed; boundary=x"}, 415, "unsupported-type"),
        ({"Content-Type": "multipart/form-data"}, 400, "malformed-multipart"),
        ({"Content-Type": "multipart/form-data; boundary="}, 400, "malformed-multipart"),
        ({"Content-Type": f"multipart/form-data; boundary={'x' * 300}"}, 400, "malformed-multipart"),
        ({"Content-Type": "multipart/form-data; boundary=another"}, 400, "malformed-multipart"),
        ({"Content-Encoding": "gzip"}, 415, "unsupported-type"),
    ],
)
def test_another_type_is_refused(api: Api, headers: dict[str, str], status: int, code: str) -> None:
    body, content_type = form(THE_FILE, COUNTRY)
    if "Content-Encoding" in headers:
        headers = {"Content-Type": content_type, **headers}
    answer = api.post("/v1/datasets/upload", body=body, headers=headers)
    assert (answer.status, answer.code) == (status, code), answer.text
    assert kept(api) == NOTHING


def test_a_form_is_not_taken_for_the_file_itself(api: Api) -> None:
    body, content_type = form(THE_FILE, COUNTRY)
    headers = {"Content-Type": content_type}
    answer = api.request("PUT", "/v1/datasets/upload/a.txt", body, headers=headers, query={"country": "US"})
    assert (answer.status, answer.code) == (415, "unsupported-type")
    assert kept(api) == NOTHING


BODIES: dict[str, bytes] = {
    "cut off in the file": THE_FILE.as_bytes()[:-10],
    "cut off before the end": COUNTRY.as_bytes() + THE_FILE.as_bytes(),
    "cut off in a header": THE_FILE.as_bytes()[:40],
    "nothing": b"",
    "no form": CONTENT,
    "a part without a name": f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + end(),
    "a part of another kind": f"--{BOUNDARY}\r\nContent-Disposition: attachment\r\n\r\nx\r\n".encode() + end(),
    "a header without end": f"--{BOUNDARY}\r\nContent-Disposition: form-data; name={'x' * 9000}".encode(),
    "a hundred headers": f"--{BOUNDARY}\r\n".encode() + b"X: y\r\n" * 100 + b"\r\n" + end(),
    "nul bytes": b"\0" * 5000,
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_form_is_refused(api: Api, name: str) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = api.post("/v1/datasets/upload", body=BODIES[name], headers=headers)
    assert (answer.status, answer.code) == (400, "malformed-multipart"), answer.text
    assert kept(api) == NOTHING


TAKEN: dict[str | bytes, str] = {
    "yob2020.txt": "yob2020.txt",
    "../../etc/passwd": "passwd",
    "/etc/passwd": "passwd",
    "C:\\Users\\me\\yob2020.txt": "yob2020.txt",
    "..\\..\\yob2020.txt": "yob2020.txt",
    "Pre\u0301noms.csv": "Pr\u00e9noms.csv",
    "名前.csv": "名前.csv",
    ".hidden": ".hidden",
    "-rf.txt": "-rf.txt",
    "x" * 255: "x" * 255,
    "%2e%2e%2fyob2020.txt": "%2e%2e%2fyob2020.txt",
    "$(reboot);'--.txt": "$(reboot);'--.txt",
}
REFUSED: list[str | bytes] = [
    ".", "..", "../..", "a/", "\\", b"yob\xff.txt", "a\0b.txt", "a\x1b[31m.txt", "a\u202etxt.exe", "a\u2028b",
    "x" * 256, "名" * 86, "\ufffd.txt", " \t/",
]  # fmt: skip


@pytest.mark.parametrize("given", TAKEN)
def test_of_a_path_only_its_last_part_is_kept(api: Api, given: str) -> None:
    answer = send(api, Part(FILE, CONTENT, given), COUNTRY)
    assert (answer.status, answer.json["data"]["dataset"]["filename"]) == (201, TAKEN[given])
    assert len(stored(api)) == 1
    assert [path.name for path in (api.world.folder / "storage").iterdir()] == ["US"]


@pytest.mark.parametrize("given", REFUSED)
def test_a_hostile_name_is_refused(api: Api, given: str | bytes) -> None:
    answer = send(api, Part(FILE, CONTENT, given), COUNTRY)
    assert (answer.status, answer.code) == (422, "hostile-filename"), answer.text
    assert "publisher's name" in answer.json["detail"]
    assert answer.json["detail"].isprintable()
    assert kept(api) == NOTHING


@pytest.mark.parametrize("path", ["%FF.txt", "a%1B.txt", "..", "%2e%2e", "x" * 256, "a%0Ab", "%20%E2%80%AE"])
def test_a_hostile_name_in_the_address_is_refused(api: Api, path: str) -> None:
    query: dict[str, Any] = {"country": "US"}
    answer = api.request("PUT", f"/v1/datasets/upload/{path}", CONTENT, query=query)
    assert (answer.status, answer.code) == (422, "hostile-filename"), answer.text
    assert kept(api) == NOTHING


def test_no_address_has_a_zero(api: Api) -> None:
    answer = api.request("PUT", "/v1/datasets/upload/a%00b.txt", CONTENT, query={"country": "US"})
    assert (answer.status, answer.code) == (404, "not-found"), answer.text
    assert kept(api) == NOTHING


@pytest.mark.parametrize("path", ["", "%2e%2e%2fetc%2fpasswd", "a/b.txt", "../../../etc/passwd"])
def test_an_address_with_folders_is_none(api: Api, path: str) -> None:
    answer = api.request("PUT", f"/v1/datasets/upload/{path}", CONTENT, query={"country": "US"})
    assert answer.status in (404, 405)
    assert kept(api) == NOTHING
