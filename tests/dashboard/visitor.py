"""Somebody with a browser that runs no scripts: it keeps cookies, and says where its forms are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

from tests.api.client import Answer, Api
from tests.api.forms import Part, form

WRONG = f"aw_12345678_{'a' * 43}"
"""A key that nobody has."""

HTML = {"Accept": "text/html,*/*;q=0.8"}
FORM = {**HTML, "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


@dataclass(slots=True)
class Visitor:
    """A browser.

    Args:
        api: the server.
        cookies: those that it has now, by name.
        host: what it takes the server for.
    """

    api: Api
    cookies: dict[str, str] = field(default_factory=dict)
    host: str = ""

    def get(self, path: str, **headers: str) -> Answer:
        return self._sent("GET", path, None, {**HTML, **_headers(headers)})

    def post(self, path: str, form: Mapping[str, str] | Sequence[tuple[str, str]], **headers: str) -> Answer:
        return self._sent("POST", path, urlencode(form).encode(), {**FORM, **_headers(headers)})

    def send(self, path: str, *parts: Part, **headers: str) -> Answer:
        """Sends a form with files, as a page of the server does unless told otherwise."""
        body, content_type = form(*parts)
        return self._sent("POST", path, body, {**FORM, "Content-Type": content_type, **_headers(headers)})

    def log_in(self, key: str, next: str = "/") -> Answer:
        return self.post("/login", {"key": key, "next": next})

    def follow(self, answer: Answer) -> Answer:
        """The page that a redirect leads to."""
        assert answer.status == 303, (answer.status, text_of(answer))
        return self.get(answer.headers["location"])

    def press(self, page: Answer, label: str, **said: str) -> Answer:
        """Presses a button of a page: sends its form."""
        form = next((one for one in forms_of(page) if label in one.buttons), None)
        assert form is not None, f"no button {label!r} among {[one.buttons for one in forms_of(page)]}"
        return self.post(form.action, {**form.fields, **said})

    def _sent(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"Cookie": cookie} if cookie else {}), **({"Host": self.host} if self.host else {}), **headers}
        answer = self.api.request(method, path, body, role=None, headers={k: v for k, v in sent.items() if v})
        if made := re.match(r"([^=]+)=([^;]*);(.*)", answer.headers.get("set-cookie", "")):
            if "Max-Age=0" in made[3]:
                self.cookies.pop(made[1], None)
            else:
                self.cookies[made[1]] = made[2]
        return answer


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in given.items()}


@dataclass(slots=True)
class Form:
    """A form of a page."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(of.get("action", "")))
        elif tag == "input" and self.found and "name" in of:
            self.found[-1].fields[of["name"]] = of.get("value", "")
        self._in_button = tag == "button"

    def handle_data(self, data: str) -> None:
        if self._in_button and self.found and data.strip():
            self.found[-1].buttons.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self._in_button = False


def forms_of(page: Answer) -> list[Form]:
    """The forms of a page."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.found


def buttons_of(page: Answer) -> set[str]:
    """The labels of its buttons that do something."""
    return {label for form in forms_of(page) if form.action == "/act" for label in form.buttons}


def link_of(page: Answer, label: str) -> str:
    """Where the link of this label leads."""
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(label)}</a>', page.text)
    assert found is not None, f"no link {label!r}"
    return unescape(found[1])


def text_of(page: Answer) -> str:
    """What a person reads, on one line."""
    within = re.sub(r"</?(time|b|span|code|abbr)\b[^>]*>", "", page.text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", within)).split())
