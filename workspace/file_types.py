"""What a file is by its bytes; the name and what the browser says are not believed. Pure."""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
import zipfile

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "application/vnd.openxmlformats-officedocument."
OLD_OFFICE = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
}
PARTS = {
    "word/": ("docx", f"{_OFFICE}wordprocessingml.document"),
    "xl/": ("xlsx", f"{_OFFICE}spreadsheetml.sheet"),
    "ppt/": ("pptx", f"{_OFFICE}presentationml.presentation"),
}
OPEN_DOCUMENTS = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
}
STARTS = (
    (b"%PDF-", "pdf", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF87a", "gif", "image/gif"),
    (b"GIF89a", "gif", "image/gif"),
)
TEXTS = {"txt": "text/plain", "csv": "text/csv", "md": "text/plain", "eml": "message/rfc822"}
SAME = {"jpeg": "jpg"}
ACCEPTED = (
    ".pdf,.png,.jpg,.jpeg,.gif,.webp,.docx,.xlsx,.pptx,.doc,.xls,.ppt,.odt,.ods,.odp,.csv,.txt,.md,.eml"
)
NAME_LENGTH = 150
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


def kind_of_file(name: str, data: bytes) -> str | None:
    """The media type of a file that may be kept; None for another kind, or where its name says it is something else."""
    ending = _ending(name)
    for start, own, media_type in STARTS:
        if data.startswith(start):
            return media_type if ending == own else None
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp" if ending == "webp" else None
    if data.startswith(_OLE):
        return OLD_OFFICE.get(ending)
    if data.startswith(_ZIP):
        return _in_zip(ending, data)
    return TEXTS.get(ending) if _is_text(data) else None


def clean_name(name: str) -> str:
    """A name that is only a name on every system: no path, no control characters, no tricks with direction."""
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(
        one for one in unicodedata.normalize("NFC", last) if unicodedata.category(one) not in ("Cc", "Cf")
    )
    last = _FORBIDDEN.sub("_", last).strip(" .")
    stem, dot, ending = last.rpartition(".")
    if not dot:
        return last[:NAME_LENGTH] or "file"
    return f"{stem[: NAME_LENGTH - 1 - len(ending[:20])] or 'file'}.{ending[:20]}"


def _ending(name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    return SAME.get(ending, ending)


def _in_zip(ending: str, data: bytes) -> str | None:
    """Office documents are archives; nothing is unpacked but the few bytes in which some say what they are."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if "[Content_Types].xml" in names:
                if any(name.lower().endswith("vbaproject.bin") for name in names):
                    return None  # macros
                for start, (own, media_type) in PARTS.items():
                    if any(name.startswith(start) for name in names):
                        return media_type if ending == own else None
            if names[:1] == ["mimetype"] and archive.getinfo("mimetype").file_size < 100:
                said = archive.read("mimetype").decode("ascii", "replace").strip()
                return said if OPEN_DOCUMENTS.get(said) == ending else None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, KeyError):
        return None  # what cannot be read as an archive is no office document
    return None


def _is_text(data: bytes) -> bool:
    """Text in UTF-8, UTF-16 with its mark, or Latin-1 without control characters; never markup that a browser would run."""
    head = data[:512].lstrip(codecs.BOM_UTF8).lstrip().lower()
    if head.startswith((b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script")):
        return False
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return "\0" not in data.decode("utf-16")
        except UnicodeDecodeError:
            return False
    return not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", data)
