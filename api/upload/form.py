"""A form (multipart/form-data, RFC 7578) as its bytes come: its fields, its one file, and what is refused."""

from collections.abc import Collection

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.parameters import unknown
from api.problems import FieldError, Problem
from api.upload.filename import publishers_name
from api.upload.limits import FIELD_BYTES, FIELDS
from dataset_jobs.model.text import one_line

FILE = "file"
REPEATED = frozenset({"replaces"})
"""Fields that may come several times."""

_AS_IT_IS = {"", "7bit", "8bit", "binary"}


class Form:
    """The parts of a form. Every method raises `Problem`.

    Args:
        content_type: the header of the request.
        known: the fields that there are, without the file.

    Attributes:
        fields: the values of each field.
        filename: the file's; None before it came.
    """

    def __init__(self, content_type: str, known: Collection[str]) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise Problem(
                "unsupported-type",
                f"Content-Type is {one_line(content_type)[:80] or 'missing'}: send the file as multipart/form-data"
                " (curl -F file=@NAME), or as it is with PUT /v1/datasets/upload/NAME",
            )
        self.fields: dict[str, list[str]] = {}
        self.filename: str | None = None
        self._known = known
        self._blocks: list[bytes] = []
        self._headers: dict[str, bytes] = {}
        self._header, self._value = bytearray(), bytearray()
        self._name = ""
        self._is_file = False
        self._text = bytearray()
        self._count = 0
        self._ended = False
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._content,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except ValueError:
            raise _malformed("the header Content-Type has no boundary") from None
        if not options.get(b"boundary"):
            raise _malformed("the header Content-Type has no boundary")

    def feed(self, block: bytes) -> list[bytes]:
        """Takes the next bytes of the body; returns those of the file among them."""
        self._blocks = []
        try:
            self._parser.write(block)
        except MultipartParseError as error:
            raise _malformed(one_line(str(error))[:200]) from None
        return self._blocks

    def finish(self) -> str:
        """Says that the body has ended; returns the file's name."""
        if not self._ended:
            raise _malformed("the body ends before the form does")
        if self.filename is None:
            raise invalid(FILE, "the form has no file: send one, as with curl -F file=@NAME")
        return self.filename

    def _begin_part(self) -> None:
        self._headers = {}
        self._text = bytearray()

    def _end_header(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _begin_content(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise _malformed("a part has no Content-Disposition: form-data with a name")
        encoding = self._headers.get("content-transfer-encoding", b"").decode("latin-1").strip().lower()
        if encoding not in _AS_IT_IS:
            raise _malformed("a part has a Content-Transfer-Encoding: send it as it is")
        self._name = options[b"name"].decode(errors="replace")
        filename = options.get(b"filename")
        if self._name != FILE and self._name not in self._known:
            wrong = unknown(self._name, [FILE, *self._known])
            raise Problem("field-invalid", wrong["message"], [wrong])
        self._is_file = self._name == FILE
        if self._is_file:
            self._begin_file(filename)
            return
        if filename is not None:
            raise invalid(self._name, "it is a file: only the field file may be one")
        self._begin_field()

    def _begin_field(self) -> None:
        self._count += 1
        if self._count > FIELDS:
            raise Problem("field-invalid", f"the form has more than {FIELDS} fields")

    def _begin_file(self, filename: bytes | None) -> None:
        if filename is None:
            raise invalid(FILE, "it has no file name: send it as a file, as with curl -F file=@NAME")
        if not filename:
            raise invalid(FILE, "no file was chosen")
        if self.filename is not None:
            raise invalid(FILE, "the form has several files: send one at a time")
        self.filename = publishers_name(filename)

    def _content(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._file_content(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > FIELD_BYTES:
            raise invalid(self._name, f"it has more than {FIELD_BYTES:,} bytes")

    def _file_content(self, data: bytes) -> None:
        self._blocks.append(data)

    def _end_part(self) -> None:
        if self._is_file:
            return
        try:
            value = self._text.decode()
        except UnicodeDecodeError:
            raise invalid(self._name, "it is not UTF-8") from None
        values = self.fields.setdefault(self._name, [])
        values.append(value)
        if len(values) > 1 and self._name not in REPEATED:
            raise invalid(self._name, "it came twice")

    def _end(self) -> None:
        self._ended = True


def _malformed(why: str) -> Problem:
    return Problem("malformed-multipart", f"the form cannot be read: {why}")


def invalid(field: str, message: str) -> Problem:
    """The refusal of a field."""
    wrong: FieldError = {"field": field, "message": message}
    return Problem("field-invalid", f"{field}: {message}", [wrong])
