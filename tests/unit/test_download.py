"""Files from addresses: every answer that a server can give, from a real one."""

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.model.requests import InvalidRequest
from services.sources.addresses import Address, refusal, shown_address
from services.sources.download import downloaded, look
from services.sources.line import trusted
from services.sources.names import name_of
from services.sources.page import is_page
from services.sources.request import Patience, Request, Validators
from tests.servers.file_server import FileServer, Page, make_certificate, serving

SOON = Patience(idle=0.3)
MOST = 1 << 20


@pytest.fixture(scope="module")
def running() -> Iterator[FileServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: FileServer) -> FileServer:
    running.pages.clear()
    running.asked.clear()
    running.headers.clear()
    return running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


def get(url: str, **options: object) -> tuple[str, bytes]:
    """The name and the bytes of a file."""
    asked = {"most_bytes": MOST, **options}
    with downloaded(Request(Address.parse(url), **asked)) as found:  # type: ignore[arg-type]
        assert found is not None
        return found.path.name, found.path.read_bytes()


def refused(url: str, **options: object) -> RunError:
    with pytest.raises((InvalidRequest, Unavailable)) as caught:
        get(url, **options)
    assert url.partition("@")[2] in str(caught.value) or url in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_comes_whole_under_its_name(server: FileServer) -> None:
    page = Page(b"Mary,F,10\n" * 50_000, step=10_000)
    assert get(server.at("/names/yob2020.txt", page)) == ("yob2020.txt", page.body)
    page.chunked = True
    assert get(server.at("/names/yob2020.txt", page)) == ("yob2020.txt", page.body)


def test_an_unchanged_file_is_not_sent_again(server: FileServer) -> None:
    url = server.at("/yob2020.txt", Page())
    with downloaded(Request(Address.parse(url), MOST)) as found:
        assert found is not None
        known = found.validators
    assert known.etag is not None and known.last_modified is not None
    with downloaded(Request(Address.parse(url), MOST, known=known)) as again:
        assert again is None
    server.pages["/yob2020.txt"].body = b"Mary,F,11\n"
    with downloaded(Request(Address.parse(url), MOST, known=known)) as changed:
        assert changed is not None and changed.validators.etag != known.etag
    assert server.headers[-1]["if-none-match"] == known.etag
    assert server.headers[-1]["if-modified-since"] == known.last_modified


@pytest.mark.parametrize(
    ("page", "kind", "said"),
    [
        (Page(status=404), InvalidRequest, "there is nothing at this address (HTTP 404)"),
        (Page(status=410), InvalidRequest, "there is nothing at this address (HTTP 410)"),
        (Page(status=401), InvalidRequest, "the server refuses to give it (HTTP 401)"),
        (Page(status=403), InvalidRequest, "the server refuses to give it (HTTP 403)"),
        (Page(status=429), Unavailable, "the server asks for fewer requests (HTTP 429)"),
        (Page(status=500), Unavailable, "the server is in trouble (HTTP 500)"),
        (Page(status=503), Unavailable, "the server is in trouble (HTTP 503)"),
        (Page(status=206), InvalidRequest, "the answer is no file (HTTP 206)"),
        (Page(status=304), InvalidRequest, "the answer is no file (HTTP 304)"),
        (Page(b"<!DOCTYPE html><p>log in", headers={"Content-Type": "text/html; charset=utf-8"}),
         InvalidRequest, "the address answered with a page (text/html): is it the download's own address?"),
        (Page(b"\n<!-- x --> <HTML>"), InvalidRequest, "answered with a page (text/plain)"),
        (Page(b""), InvalidRequest, "it is empty"),
        (Page(b"<html>", headers={"Content-Disposition": "attachment; filename=\"\""}), InvalidRequest, "a page"),
        (Page(b"x" * 100, promised=200, cut=100), Unavailable, "it broke off before its end"),
        (Page(b"x" * 100, chunked=True, cut=50), Unavailable, "it broke off before its end"),
        (Page(b"", promised=5, cut=0), Unavailable, "it broke off before its end"),
        (Page(b"x" * 10, wait=2), Unavailable, "nothing came for 0.3 s"),
        (Page(b"x" * (MOST + 1)), InvalidRequest, "it has more than 1 MiB (LIMIT_FILE_MIB)"),
        (Page(b"x" * (MOST + 1), chunked=True), InvalidRequest, "it has more than 1 MiB"),
        (Page(b"x" * (MOST + 1), with_length=False), InvalidRequest, "it has more than 1 MiB"),
        (Page(gzip.compress(b"x" * (50 * MOST)), headers={"Content-Encoding": "gzip"}),
         InvalidRequest, "it has more than 1 MiB"),
        (Page(b"no gzip", headers={"Content-Encoding": "gzip"}), Unavailable, "cannot be unpacked"),
        (Page(b"?", headers={"Content-Encoding": "br"}), InvalidRequest, "sends it as br"),
        (Page(status=302), InvalidRequest, "it is redirected, but nowhere"),
        (Page(status=302, headers={"Location": "http://[::1"}), InvalidRequest, "redirected to what is no address"),
        (Page(headers={"Content-Length": "9" * 5000}, cut=0), InvalidRequest, "it is empty"),
        (Page(status=302, headers={"Location": "ftp://example.org/x"}), InvalidRequest, "ftp://example.org/x"),
        (Page(status=301, headers={"Location": "/yob2020.txt"}), InvalidRequest, "redirected more than 5 times"),
        (Page(headers={"Content-Disposition": 'attachment; filename="\x07"'}), InvalidRequest, "plain name"),
    ],
)  # fmt: skip
def test_every_other_answer_is_one_clear_line(server: FileServer, page: Page, kind: type[RunError], said: str) -> None:
    try:
        get(server.at("/yob2020.txt", page), patience=SOON if page.wait else Patience())
    except kind as error:
        assert said in str(error)
        assert "\n" not in str(error)
    else:
        raise AssertionError("it was taken")


def test_a_large_file_is_refused_before_it_comes(server: FileServer) -> None:
    url = server.at("/yob2020.txt", Page(b"x", promised=MOST + 1, wait=30))
    assert "more than 1 MiB" in str(refused(url))


def test_a_file_that_drips_is_given_up(server: FileServer) -> None:
    url = server.at("/yob2020.txt", Page(b"x" * 1000, step=1, wait=0.02))
    error = refused(url, patience=Patience(total=0.3))
    assert isinstance(error, Unavailable)
    assert "it was not here within 0.3 s" in str(error)


def test_a_file_without_a_length_that_drips_is_given_up(server: FileServer) -> None:
    """The end of the connection is then ours, and not the file's."""
    url = server.at("/yob2020.txt", Page(b"x" * 1000, step=1, wait=0.02, with_length=False))
    assert "it was not here within 0.3 s" in str(refused(url, patience=Patience(total=0.3)))


def test_whoever_watches_can_end_it(server: FileServer) -> None:
    class Enough(Exception):
        pass

    def seen(size: int, total: int | None) -> None:
        assert (size, total) == (19, 19)
        raise Enough

    with pytest.raises(Enough):
        get(server.at("/yob2020.txt", Page()), seen=seen)


def test_gzip_of_the_way_is_undone_and_gzip_of_the_file_stays(server: FileServer) -> None:
    body = b"Mary,F,10\n" * 1000
    encoded = Page(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert get(server.at("/yob2020.txt", encoded)) == ("yob2020.txt", body)
    file = Page(gzip.compress(body), headers={"Content-Type": "application/gzip"})
    assert get(server.at("/yob2020.txt.gz", file)) == ("yob2020.txt.gz", file.body)


def test_a_packed_file_that_comes_unpacked_loses_its_ending(server: FileServer) -> None:
    page = Page(gzip.compress(b"Mary,F,10\n"), headers={"Content-Encoding": "x-gzip"})
    assert get(server.at("/yob2020.txt.gz", page)) == ("yob2020.txt", b"Mary,F,10\n")


def test_a_page_is_told_at_once() -> None:
    assert not is_page(b"<!---->" * 600)
    assert is_page(b"<!---->" * 5 + b"<html>")


def test_redirects_are_followed_and_the_login_stays_at_home(server: FileServer) -> None:
    with serving() as other:
        there = other.at("/files/8f3a", Page())
        url = server.at("/yob2020.txt", Page(status=302, headers={"Location": "/a%20b"}))
        server.at("/a%20b", Page(status=307, headers={"Location": there}))
        with_login = url.replace("http://", "http://me:s3cret@")
        assert get(with_login)[0] == "yob2020.txt"
        assert server.headers[0]["authorization"].startswith("Basic ")
        assert "authorization" not in other.headers[0]


def test_a_page_without_a_name_is_called_a_page(server: FileServer) -> None:
    assert "answered with a page" in str(refused(server.at("/", Page(b"<html>"))))
    assert "neither the address nor the server says the file's name" in str(refused(server.at("/", Page(b"x"))))


def test_a_move_for_good_is_reported(server: FileServer) -> None:
    new = server.at("/new/yob2020.txt", Page())
    url = server.at("/yob2020.txt", Page(status=301, headers={"Location": new}))
    with downloaded(Request(Address.parse(url), MOST)) as found:
        assert found is not None and found.moved_to == new


def test_an_error_shows_no_login(server: FileServer) -> None:
    with pytest.raises(InvalidRequest) as caught:
        get(server.url.replace("http://", "http://me:s3cret@") + "/nothing?token=t0ken&year=2020")
    assert "s3cret" not in str(caught.value) and "t0ken" not in str(caught.value)
    assert "token=***&year=2020" in str(caught.value)


def test_a_login_may_have_any_letters(server: FileServer) -> None:
    get(server.at("/yob2020.txt", Page()).replace("http://", "http://m%C3%A9:%E2%82%AC@"))
    assert server.headers[-1]["authorization"] == "Basic " + base64.b64encode("mé:€".encode()).decode()


def test_nobody_there_is_unavailable(server: FileServer) -> None:
    with serving() as gone:
        pass
    error = refused(f"{gone.url}/yob2020.txt")
    assert isinstance(error, Unavailable) and "no connection (connection refused)" in str(error)
    error = refused("http://nowhere.invalid/yob2020.txt")
    assert isinstance(error, Unavailable) and "the name nowhere.invalid leads nowhere" in str(error)
    error = refused(server.url.replace("http:", "https:") + "/yob2020.txt")
    assert isinstance(error, Unavailable) and "no encrypted connection" in str(error)


def test_https_is_checked_and_never_left(
    server: FileServer, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(certificate) as secure:
        url = secure.at("/yob2020.txt", Page())
        error = refused(url)
        assert isinstance(error, InvalidRequest) and "its certificate is not valid: self" in str(error)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert get(url) == ("yob2020.txt", Page().body)
        there = server.at("/yob2020.txt", Page())
        down = secure.at("/down.txt", Page(status=301, headers={"Location": there}))
        error = refused(down)
        assert isinstance(error, InvalidRequest) and "redirected from https to http://" in str(error)
        drips = secure.at("/drips.txt", Page(b"x" * 1000, step=1, wait=0.02))
        assert "not here within 0.3 s" in str(refused(drips, patience=Patience(total=0.3)))
    old = make_certificate(tmp_path / "old.pem", days=-1)
    monkeypatch.setenv("SSL_CERT_FILE", str(old))
    with serving(old) as expired:
        assert "certificate has expired" in str(refused(expired.at("/yob2020.txt", Page())))


def test_a_proxy_is_asked_in_the_servers_place(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    server.at("http://publisher.invalid/yob2020.txt", Page())
    assert get("http://publisher.invalid/yob2020.txt") == ("yob2020.txt", Page().body)
    with pytest.raises(InvalidRequest, match="metadata"):
        get("http://169.254.169.254/latest")
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//me:p%40ss@"))
    assert get("http://publisher.invalid/yob2020.txt")[0] == "yob2020.txt"
    assert server.headers[-1]["proxy-authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    monkeypatch.setenv("no_proxy", "publisher.invalid")
    assert isinstance(refused("http://publisher.invalid/yob2020.txt"), Unavailable)
    with serving() as gone:
        monkeypatch.setenv("http_proxy", gone.url)
    assert "the proxy gives no connection" in str(refused("http://other.invalid/yob2020.txt"))


def test_a_machine_without_certificates_trusts_those_of_botocore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert trusted().cert_store_stats()["x509_ca"] > 50


def test_a_look_reads_the_beginning_alone(server: FileServer) -> None:
    assert look(Request(Address.parse(server.at("/yob2020.txt", Page(b"x" * 5000, step=4096, wait=0.1))), MOST)) == (
        "yob2020.txt"
    )
    with pytest.raises(InvalidRequest, match="a page"):
        look(Request(Address.parse(server.at("/yob2020.txt", Page(b"<html>"))), MOST))


@pytest.mark.parametrize(
    ("ip", "why"),
    [
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("fe80::1%eth0", "metadata"),
        ("100.100.100.200", "metadata"),
        ("224.0.0.1", "no server's address"),
        ("127.0.0.1", "this machine itself"),
        ("::1", "this machine itself"),
        ("0.0.0.0", "this machine itself"),
        ("10.1.2.3", None),
        ("192.168.1.1", None),
        ("93.184.216.34", None),
        ("2606:2800::1", None),
    ],
)
def test_some_addresses_are_never_asked(ip: str, why: str | None) -> None:
    found = refusal(ip, loopback=False)
    assert (found is None) is (why is None)
    assert why is None or why in (found or "")


@pytest.mark.parametrize("host", ["169.254.169.254", "0xA9FEA9FE", "2852039166", "[fd00:ec2::254]"])
def test_a_metadata_address_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(InvalidRequest, match="metadata"):
        get(f"http://{host}/latest/meta-data/")


def test_a_redirect_leads_to_no_forbidden_address(server: FileServer) -> None:
    url = server.at("/yob2020.txt", Page(status=302, headers={"Location": "http://169.254.169.254/latest"}))
    assert "metadata" in str(refused(url))
    assert "this machine itself" in str(refused(url, loopback=False))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("disposition", "urls", "name"),
    [
        (None, ["https://x.org/a/yob2020.txt"], "yob2020.txt"),
        (None, ["https://x.org/a/Pr%C3%A9noms%202020.csv?x=1"], "Prénoms 2020.csv"),
        (None, ["https://x.org/download", "https://x.org/y/yob2020.txt"], "yob2020.txt"),
        (None, ["https://x.org/download", "https://x.org/8f3a"], "download"),
        (None, ["https://x.org/yob2020.txt", "https://x.org/8f3a.bin"], "yob2020.txt"),
        (None, ["https://x.org/"], None),
        ("attachment", ["https://x.org/a.txt"], "a.txt"),
        ('attachment; filename="yob2020.txt"', ["https://x.org/a.txt"], "yob2020.txt"),
        ("attachment; filename=yob2020.txt", ["https://x.org/a.txt"], "yob2020.txt"),
        ("attachment; filename*=UTF-8''Pr%C3%A9noms.csv", ["https://x.org/a.txt"], "Prénoms.csv"),
        ("attachment; filename=\"e.csv\"; filename*=UTF-8''Pr%C3%A9noms.csv", ["https://x.org/a"], "Prénoms.csv"),
        ('attachment; filename="../../etc/passwd"', ["https://x.org/a.txt"], "passwd"),
        ('attachment; filename="C:\\\\data\\\\names.csv"', ["https://x.org/a.txt"], "names.csv"),
        ('attachment; filename="Pr\u00c3\u00a9noms.csv"', ["https://x.org/a.txt"], "Prénoms.csv"),
        ('attachment; filename=""', ["https://x.org/a.txt"], "a.txt"),
    ],
)
def test_the_name_is_the_publishers(disposition: str | None, urls: list[str], name: str | None) -> None:
    assert name_of(disposition, *urls) == name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://me:pw@x.org/a?b=1#frag", "https://***@x.org/a?b=1"),
        (
            "https://x.org/a?X-Amz-Signature=abc&sig=1&year=2020",
            "https://x.org/a?X-Amz-Signature=***&sig=***&year=2020",
        ),
        ("https://x.org/a?api_key=1&access_token=2", "https://x.org/a?api_key=***&access_token=***"),
        ("https://[::1/a", "https://…"),
        ("https://x.org/\x1b[2J", "https://x.org/\\x1b[2J"),
    ],
)
def test_an_address_is_shown_without_its_secrets(given: str, shown: str) -> None:
    assert shown_address(given) == shown


@pytest.mark.parametrize(
    "given",
    ["https://", "https:///a", "https://x.org:99999/a", "https://x org/a", "https://[::1/a", "https://x\n.org/"],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidRequest, match="no address of a file"):
        Address.parse(given)


def test_addresses_with_letters_of_other_alphabets_can_be_asked() -> None:
    parsed = Address.parse("https://bücher.example/Prénoms 1.csv".replace(" ", "%20"))
    assert (parsed.host, parsed.url) == ("xn--bcher-kva.example", "https://xn--bcher-kva.example/Pr%C3%A9noms%201.csv")


def test_validators_that_cannot_be_sent_again_are_dropped(server: FileServer) -> None:
    url = server.at("/yob2020.txt", Page(headers={"ETag": "\u00fc" * 3, "Last-Modified": "x" * 2000}))
    with downloaded(Request(Address.parse(url), MOST)) as found:
        assert found is not None and found.validators == Validators()


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_is_more_than_refused(text: str, other: str) -> None:
    for url in (text, f"https://{text}/{other}", f"https://x.org/{text}?{other}"):
        shown = shown_address(url)
        assert "\n" not in shown
        try:
            parsed = Address.parse(url)
        except InvalidRequest:
            continue
        assert parsed.url.isascii()
        name_of(None, parsed.url)
    for disposition in (text, f"attachment; filename={text}", f"attachment; filename*=UTF-8''{text}"):
        name = name_of(disposition, "https://x.org/a")
        assert name is None or not {*"/\\"}.intersection(name)
