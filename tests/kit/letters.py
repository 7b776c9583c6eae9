"""Made-up names."""


def letters(number: int, length: int = 4) -> str:
    """A number in lower-case letters: aaaa, aaab, and so on."""
    found = ""
    for _ in range(length):
        number, digit = divmod(number, 26)
        found = chr(ord("a") + digit) + found
    return found
