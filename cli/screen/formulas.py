"""CSV that a spreadsheet opens: names that it would take for a formula get an apostrophe, as OWASP advises.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

import re

_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""A beginning that starts a formula, with any apostrophes before it: so that one more can be taken away again."""


def quoted(text: str) -> str:
    """`text` as no formula: with an apostrophe before it if it begins like one, else as it is."""
    return f"'{text}" if _FORMULA.match(text) else text
