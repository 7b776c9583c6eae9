"""A web page in the place of a file: of a login, an error, or the page that has the link."""

import re

_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<!--(?>.*?-->)|<\?xml[^>]*>)*<(?:!doctype\s+html|html)\b", re.I | re.S)


def is_page(head: bytes) -> bool:
    """Whether these are the first bytes of a page. No publisher's file begins so, whatever Content-Type says."""
    return _PAGE.match(head) is not None
