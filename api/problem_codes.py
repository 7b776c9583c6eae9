"""The codes of problems: status, title, what happened, what to do, an example. `/problems/CODE` shows each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem.

    Args:
        status: of the answer.
        title: in a few words.
        happened: what has happened.
        to_do: what to do about it.
        example: a request or an answer.
        further: other statuses that it comes with.
    """

    status: int
    title: str
    happened: str
    to_do: str
    example: str
    further: tuple[int, ...] = ()

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that it comes with."""
        return (self.status, *self.further)


PROBLEMS: dict[str, Kind] = {
    "no-key": Kind(
        401, "No key",
        "The request has no key, and this route is not open to everybody.",
        "Send a key in the header Authorization. An admin makes one with: affirm-worker keys make NAME --role uploader",
        "Authorization: Bearer aw_3kX9mQ2z_…",
    ),
    "bad-key": Kind(
        401, "Unknown key",
        "The key is not one of this installation, or it was revoked, or the header has another form.",
        "Check that the whole key was copied. An admin sees the keys with: affirm-worker keys list",
        "Authorization: Bearer aw_3kX9mQ2z_…",
    ),
    "key-expired": Kind(
        401, "Expired key",
        "The key was good until its end, which has come.",
        "Ask an admin for a new one.",
        "affirm-worker keys make NAME --role uploader --expires-in 90d",
    ),
    "not-allowed": Kind(
        403, "Not allowed",
        "The key's role may not do this: viewers look, uploaders upload too, admins do everything.",
        "Use a key of the role that the answer names.",
        "affirm-worker keys make NAME --role admin",
    ),
    "read-only": Kind(
        403, "Read only",
        "This API was started with API_READ_ONLY, and the request would change something.",
        "Use the command line, or an API that may change things.",
        "API_READ_ONLY=false affirm-worker serve",
    ),
    "cross-site": Kind(
        403, "From another site",
        "A page of another site sent this request by a browser.",
        "Send it from a program, or from a page of this API.",
        "curl http://localhost:8080/v1/status",
    ),
    "too-many-requests": Kind(
        429, "Too many requests",
        "The key has used up its requests for now; or too many wrong keys came from one address.",
        "Wait as many seconds as the header Retry-After says. API_REQUESTS_PER_MINUTE is the limit.",
        "Retry-After: 2",
    ),
    "too-many-streams": Kind(
        429, "Too many streams",
        "The key has as many open streams as it may have, or the server as many as it can keep.",
        "Close some, or use one for all that a page shows: ids takes 50 jobs and datasets.",
        "GET /v1/stream?ids=0f9c5d4e-…&figures=1",
    ),
    "unknown-parameter": Kind(
        400, "Unknown parameter",
        "The address has a parameter that this route does not know. It is refused, since ignoring it would give a wrong"
        " answer.",
        "Correct its name; the answer names the nearest one.",
        "GET /v1/jobs?stat=failed → did you mean state?",
    ),
    "field-invalid": Kind(
        422, "Invalid value",
        "A field of the body or a parameter of the address has a value that is not allowed.",
        "Correct the fields that `errors` names.",
        '{"errors": [{"field": "role", "message": "expected viewer, uploader or admin"}]}',
        (400,),
    ),
    "not-json": Kind(
        400, "Not JSON",
        "The body is not valid JSON.",
        "Send JSON with the header Content-Type: application/json.",
        "curl --json '{\"name\": \"import\", \"role\": \"uploader\"}' …",
    ),
    "not-found": Kind(
        404, "Not found",
        "There is nothing at this address: no such route, or no such item.",
        "Check the id. GET /docs lists the routes.",
        "GET /v1/jobs/0f9c5d4e-…",
    ),
    "country-not-found": Kind(
        404, "Unknown country",
        "There is no country of this id or code.",
        "Use the ISO 3166-1 code of two letters, or an id of GET /v1/countries.",
        "country=US",
    ),
    "file-gone": Kind(
        410, "File gone",
        "The dataset is there, but storage has its file no more.",
        "Upload the same file again: it is stored again, and nothing else changes.",
        "GET /v1/datasets/0f9c5d4e-…/file",
    ),
    "method-not-allowed": Kind(
        405, "Method not allowed",
        "The address exists, but not for this method.",
        "Use one of the methods in the header Allow.",
        "Allow: GET, POST",
    ),
    "not-acceptable": Kind(
        406, "Not acceptable",
        "The header Accept asks for a form that this route does not give.",
        "Accept application/json, or leave the header out.",
        "Accept: application/json",
    ),
    "conflict": Kind(
        409, "Conflict",
        "It cannot be done in the state that things are in.",
        "See what `detail` says about that state.",
        "POST /v1/jobs/0f9c5d4e-…/retry",
    ),
    "completed-already": Kind(
        409, "Over already",
        "The job has completed or failed already, so there is nothing to cancel.",
        "See what it has come to. A dataset is taken away by deleting it.",
        "DELETE /v1/datasets/0f9c5d4e-…",
    ),
    "cannot-be-put-back": Kind(
        409, "Cannot be retried",
        "The job is not failed or cancelled, or its dataset has another job that is not finished, was loaded since, or"
        " is superseded.",
        "See what `detail` says; `actions` has what helps.",
        "POST /v1/datasets/0f9c5d4e-…/reprocess",
    ),
    "not-waiting": Kind(
        409, "Not waiting",
        "Only a job that is queued or scheduled can be changed.",
        "See what state it is in.",
        "GET /v1/jobs/0f9c5d4e-…",
    ),
    "changed": Kind(
        412, "Changed meanwhile",
        "If-Match names another version than there is now: somebody has changed it, or it has gone on.",
        "Get it again, and send the ETag of that answer if the change is still wanted.",
        'If-Match: "5d41402abc4b2a76b9719d911017c592-0a1b2c3d4e5f"',
    ),
    "job-unfinished": Kind(
        409, "A job is not finished",
        "A job of the dataset is not finished yet, or other datasets hang on it: `detail` says which.",
        "Wait for it, or cancel it first.",
        "POST /v1/jobs/0f9c5d4e-…/cancel",
    ),
    "pool-is-described": Kind(
        409, "Described by a ParserPool",
        "A ParserPool of the cluster describes the pool, so its value would come back.",
        "Change the ParserPool; `detail` has the line for kubectl.",
        'kubectl patch parserpool default -n names --type merge -p \'{"spec":{"paused":true}}\'',
    ),
    "too-many": Kind(
        409, "Too many match",
        "More match than one operation is for, or than `limit` says. Nothing is done.",
        "Choose fewer, such as those of one day.",
        '{"filter": {"state": "failed", "since": "2026-11-01T00:00:00Z"}}',
    ),
    "over": Kind(
        409, "Over",
        "The operation has ended, so it cannot be cancelled.",
        "See what it has done.",
        "GET /v1/operations/0f9c5d4e-…",
    ),
    "exists": Kind(
        409, "Exists already",
        "There is one of that name or code already.",
        "Choose another, or change the one that is there.",
        "PATCH /v1/schedules/ssa",
    ),
    "has-datasets": Kind(
        409, "In use",
        "The country has datasets or schedules.",
        "Delete or change them first.",
        "DELETE /v1/countries/SE",
    ),
    "at-work": Kind(
        409, "At work",
        "The schedule is being done just now.",
        "Wait until its `looking` is false.",
        "GET /v1/schedules/ssa",
    ),
    "bad-cron": Kind(
        422, "No time to be due",
        "The cron expression or the time zone cannot be read, or is never due.",
        "Give minute, hour, day of month, month and day of week, and a zone such as Europe/Paris.",
        '{"cron": "0 5 * * *", "timezone": "UTC"}',
    ),
    "too-large": Kind(
        413, "Too large",
        "The body has more bytes than this route takes.",
        "Send less. LIMIT_FILE_MIB is the limit of uploads.",
        "Content-Length: 200000000",
    ),
    "too-slow": Kind(
        408, "Too slow",
        "The body did not come in time, and the connection was closed.",
        "Send it again.",
        "curl --max-time 60 …",
    ),
    "cursor-mismatch": Kind(
        400, "Cursor of another list",
        "The cursor is not one of this list with these filters.",
        "Give it with the same filters as the page that it came with, or leave it out to begin anew.",
        "GET /v1/jobs?state=failed&cursor=…",
    ),
    "last-admin": Kind(
        409, "Last admin",
        "It is the last key of an admin: without it nobody could make another one by the API.",
        "Make another admin's key first.",
        "affirm-worker keys make NAME --role admin",
    ),
    "malformed-multipart": Kind(
        400, "Malformed form",
        "The body is not the form that Content-Type says: it is cut off, has no boundary, or a part has no name.",
        "Let a library or curl make the form, and set no Content-Type by hand.",
        "curl -F file=@yob2023.txt -F country=US …/v1/datasets/upload",
    ),
    "digest-mismatch": Kind(
        400, "Other bytes than announced",
        "The bytes that came do not hash to what the field sha256 or the header Content-Digest says. Nothing was kept.",
        "Send the file again. Content-Digest is of the whole body, and sha256 of the file.",
        "Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
    ),
    "unsupported-type": Kind(
        415, "Unsupported type",
        "The header Content-Type or Content-Encoding is not one that this route takes.",
        "Send a form (multipart/form-data) to POST, or the file as it is to PUT.",
        "curl -T yob2023.txt '…/v1/datasets/upload/yob2023.txt?country=US'",
    ),
    "empty-file": Kind(
        422, "Empty file",
        "The file has no bytes.",
        "Send the file that has the figures.",
        "curl -F file=@yob2023.txt …",
    ),
    "hostile-filename": Kind(
        422, "Impossible file name",
        "The file's name is none that a publisher gives: not UTF-8, too long, with control characters, or empty.",
        "Send the file under its publisher's name; parsers read the year and the sex from it.",
        "curl -F 'file=@upload.tmp;filename=yob2023.txt' …",
    ),
    "overlapping": Kind(
        409, "Loaded already as something else",
        "These bytes are loaded already, under another name or with other hints.",
        "Delete that dataset first, or send the file as it is loaded.",
        "DELETE /v1/datasets/0f9c5d4e-…",
    ),
    "dataset-busy": Kind(
        409, "Being loaded just now",
        "These bytes are being loaded just now, under another name or with other hints.",
        "Send the file again when that run has ended.",
        "GET /v1/jobs/0f9c5d4e-…",
    ),
    "uploads-full": Kind(
        503, "Too many uploads at once",
        "This API receives as many files as it may at a time.",
        "Send the file again after as many seconds as the header Retry-After says.",
        "Retry-After: 2",
    ),
    "no-space": Kind(
        507, "No space",
        "There is no room for the file where files are received.",
        "Send the file again later. An admin gives API_SPOOL_DIR more room.",
        "API_SPOOL_DIR=/var/spool/affirm-worker",
    ),
    "busy": Kind(
        503, "Too many files are being checked",
        "This API checks as many files as it may at a time, or the machine has no memory for another one.",
        "Send the file again after as many seconds as the header Retry-After says, or upload it without a check.",
        "Retry-After: 5",
    ),
    "took-too-long": Kind(
        504, "Took too long",
        "The file was not read within API_VALIDATE_DEADLINE. A load may take longer.",
        "Upload it: its job reports what is wrong with it.",
        "POST /v1/datasets/upload",
    ),
    "internal": Kind(
        500, "Internal error",
        "A fault of this program. Its log has more, under the request_id of the answer.",
        "Try again; report it with the request_id.",
        '{"request_id": "7d0c…"}',
    ),
    "database-away": Kind(
        503, "Database away",
        "The database does not answer, or cannot be used as it is.",
        "Try again after as many seconds as the header Retry-After says. affirm-worker doctor finds the reason.",
        "Retry-After: 5",
    ),
    "storage-away": Kind(
        503, "Storage away",
        "The storage of files does not answer, or cannot be used as it is.",
        "Try again after as many seconds as the header Retry-After says. affirm-worker doctor finds the reason.",
        "Retry-After: 5",
    ),
}  # fmt: skip
"""By code."""
