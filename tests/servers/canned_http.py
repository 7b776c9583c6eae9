"""An HTTP server with one fixed answer, for what a well-kept S3 server cannot be brought to say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def answering(
    status: int, body: bytes = b"", promised_bytes: int | None = None, requests: list[str] | None = None
) -> Iterator[str]:
    """Gives back the URL of a server that answers everything like this, and then closes the connection.

    Args:
        status: HTTP status.
        body: the bytes to send.
        promised_bytes: Content-Length, if it should differ from the body's own.
        requests: gets one entry for every request that comes.
    """

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if requests is not None:
                requests.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if promised_bytes is None else promised_bytes))
            self.send_header("Connection", "close")
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
