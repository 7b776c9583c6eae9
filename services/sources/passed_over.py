"""What lies in a folder of publishers' files and is none of them."""

from dataclasses import dataclass
from pathlib import PurePosixPath

_STEMS = {
    "readme", "read_me", "license", "licence", "copying", "changelog", "manifest", "makefile", "thumbs", "desktop",
    "checksums", "sha256sums", "md5sums",
}  # fmt: skip
_ENDINGS = {
    "document": ".pdf .doc .docx .odt .rtf .md .rst .htm .html .xhtml .mhtml .ppt .pptx .odp .tex .epub",
    "picture or sound": ".png .jpg .jpeg .gif .svg .webp .tif .tiff .bmp .ico .mp3 .mp4 .mov .avi",
    "program": ".py .pyc .sh .bat .r .sql .ipynb .js .css .exe .dll .so .do .sas .sps",
    "setting or log": ".toml .yml .yaml .ini .cfg .conf .log .lock",
    "checksum or signature": ".md5 .sha1 .sha256 .sha512 .asc .sig",
    "unfinished download": ".part .crdownload .tmp .bak .swp",
}
_BY_ENDING = {ending: what for what, endings in _ENDINGS.items() for ending in endings.split()}


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What was not submitted, though it lies in the folder. `why` is a word or two."""

    shown: str
    why: str


def why_passed_over(name: str) -> str | None:
    """Why a file of this name is none to load; None if it may be one."""
    lower = name.lower()
    if name.startswith((".", "~$")):
        return "hidden"
    if lower.partition(".")[0] in _STEMS:
        return "about the files"
    return _BY_ENDING.get(PurePosixPath(lower).suffix)
