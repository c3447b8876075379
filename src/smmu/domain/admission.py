"""What may enter, asked three times: of the request, of the stored bytes, and of the inspected facts.

Every check lists *every* reason, each in one sentence that says what is wrong and what to do, and never stops at
the first. Quota is not asked here (`quota.py`): it depends on the owner, not on the file. Nothing here reads bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from smmu.domain import filenames
from smmu.domain.content_types import by_filename, by_type, canonical, compatible, is_admitted
from smmu.domain.errors import Code, Reason, escaped
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.quick import quick
from smmu.domain.signatures import Sniffed
from smmu.domain.values import Algorithm, Checksum
from smmu.domain.words import in_bytes

_METADATA_KEYS_MAX, _METADATA_KEY_CHARS_MAX = 64, 128
_ACCEPTED = "send an image, a video or an audio file"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """What a client asks to upload. `size` in bytes, `None` when unknown; everything here is a claim."""

    filename: str
    size: int | None
    content_type: str = ""
    checksum: Checksum | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)


def admit(request: UploadRequest, limits: Limits) -> tuple[Reason, ...]:
    """Every reason not to begin this upload; empty when it may begin. Pointers are into the init request."""
    return (
        *_name(request.filename, limits),
        *_size(request.size, limits),
        *_type(request),
        *_checksum(request, limits),
        *_metadata(request.metadata, limits),
    )


def admit_change(filename: str | None, metadata: Mapping[str, str] | None, limits: Limits) -> tuple[Reason, ...]:
    """Every reason not to give a media this name and metadata; `None` is what stays as it is."""
    return (
        *(_name(filename, limits) if filename is not None else ()),
        *(_metadata(metadata, limits) if metadata is not None else ()),
    )


def _name(filename: str, limits: Limits) -> Iterator[Reason]:
    for words in filenames.complaints(filename, limits.filename_chars_max):
        yield Reason(code=Code.INVALID_FILENAME, message=words, pointer="/filename")


def _size(size: int | None, limits: Limits, pointer: str = "/size") -> Iterator[Reason]:
    if size is None:
        return
    if size < 0:
        yield Reason(code=Code.INVALID_SIZE, message="A size is a number of bytes, 1 or more.", pointer=pointer)
    elif size == 0:
        words = "The file is empty: choose a file that has something in it."
        yield Reason(code=Code.FILE_EMPTY, message=words, pointer=pointer)
    elif size > limits.upload_bytes_max:
        words = f"The file has {in_bytes(size)}: at most {in_bytes(limits.upload_bytes_max)} are allowed."
        yield Reason(code=Code.FILE_TOO_LARGE, message=words, pointer=pointer)


def _type(request: UploadRequest) -> Iterator[Reason]:
    """The declared type decides; where there is none, an extension that is known to be something else does."""
    declared = canonical(request.content_type)
    if declared:
        if not is_admitted(declared):
            refused = by_type(declared)
            what = f"{refused.label} ({declared})" if refused else f"a file of type {_quoted(declared)}"
            yield _not_admitted(what, "/content_type")
        return
    claimed = by_filename(request.filename)
    if claimed and not claimed.admitted:
        yield _not_admitted(claimed.label, "/filename")


def _not_admitted(what: str, pointer: str) -> Reason:
    words = f"This is {what}, which is not accepted: {_ACCEPTED}."
    return Reason(code=Code.TYPE_NOT_ADMITTED, message=words, pointer=pointer)


def _quoted(text: str) -> str:
    return repr(text[:100])


def _checksum(request: UploadRequest, limits: Limits) -> Iterator[Reason]:
    """Storage keeps a SHA-256 of a whole object only when it comes in one request."""
    if request.checksum is None or request.checksum.algorithm is not Algorithm.SHA256:
        return
    if request.size is None or request.size > limits.single_bytes_max:
        words = "A file sent in parts is checked by CRC64NVME or CRC32C: give one of these instead of SHA-256."
        yield Reason(code=Code.INVALID_CHECKSUM, message=words, pointer="/checksum")


def _metadata(metadata: Mapping[str, str], limits: Limits) -> Iterator[Reason]:
    size = sum(len(text.encode("utf-8", errors="replace")) for pair in metadata.items() for text in pair)
    if size > limits.metadata_bytes_max:
        yield _bad_metadata(f"The metadata has {size} bytes: at most {limits.metadata_bytes_max} are allowed.")
    if len(metadata) > _METADATA_KEYS_MAX:
        words = f"The metadata has {len(metadata)} keys: at most {_METADATA_KEYS_MAX} are allowed."
        yield _bad_metadata(words)
    for key in metadata:
        if not key.strip() or len(key) > _METADATA_KEY_CHARS_MAX or not key.isprintable():
            words = f"A metadata key has 1 to {_METADATA_KEY_CHARS_MAX} printable characters: rename it."
            yield _bad_metadata(words, f"/{escaped(key)}")


def _bad_metadata(words: str, place: str = "") -> Reason:
    return Reason(code=Code.INVALID_METADATA, message=words, pointer=f"/metadata{place}")


def check_stored(
    *,
    declared_size: int | None,
    stored_size: int,
    declared_type: str,
    sniffed: Sniffed | None,
    limits: Limits,
    checksums: Sequence[Checksum] = (),
    stored_checksums: Mapping[Algorithm, str] | None = None,
) -> tuple[Reason, ...]:
    """Every reason to reject what was stored; empty when it may become a job.

    Sizes in bytes. `sniffed` is what `sniff` said of the first bytes. `checksums` are the ones a client gave, at
    the beginning or the end; `stored_checksums` are those of the whole object that the storage computed.
    """
    return (
        *_stored_size(declared_size, stored_size, limits),
        *(reason for given in checksums for reason in _stored_checksum(given, stored_checksums or {})),
        *(_stored_type(declared_type, sniffed) if stored_size else ()),
    )


def _stored_size(declared: int | None, stored: int, limits: Limits) -> Iterator[Reason]:
    if declared is not None and declared != stored:
        words = f"{stored:,} bytes arrived and {declared:,} were declared: upload the file again."
        yield Reason(code=Code.SIZE_MISMATCH, message=words)
    elif declared is None:
        yield from _size(stored, limits, "")
        if limits.unknown_size_bytes < stored <= limits.upload_bytes_max:
            words = (
                f"A file of unknown size may have {in_bytes(limits.unknown_size_bytes)},"
                f" and {in_bytes(stored)} arrived: declare the size and upload it again."
            )
            yield Reason(code=Code.FILE_TOO_LARGE, message=words)


def _stored_checksum(given: Checksum, stored: Mapping[Algorithm, str]) -> Iterator[Reason]:
    found = stored.get(given.algorithm)
    if found == given.value:
        return
    words = f"The {given.algorithm} of what arrived is not the one that was given: upload the file again."
    if found is None:
        words = f"The storage has no {given.algorithm} of this file to compare with: give another checksum."
    yield Reason(code=Code.CHECKSUM_MISMATCH, message=words, pointer="/checksum")


def _stored_type(declared: str, sniffed: Sniffed | None) -> Iterator[Reason]:
    """What it is comes before what it was called: a document is refused as a document, whatever was declared."""
    if sniffed is None:
        words = f"The first bytes are of no known image, video or audio format: {_ACCEPTED}."
        yield Reason(code=Code.TYPE_UNRECOGNISED, message=words)
        return
    if not compatible(declared, sniffed):
        claim = _quoted(canonical(declared))
        words = f"The file was declared as {claim} and is {sniffed.label}: declare what it is."
        yield Reason(code=Code.TYPE_MISMATCH, message=words, pointer="/content_type")
    if not sniffed.admitted:
        yield _not_admitted(sniffed.label, "")
