"""Which routine may look at a file, by its first bytes alone; and the sentences that turn the others away.

Extension and declared type have no say. Nothing is decoded here, so the parent process may ask.
"""

from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.facts import Kind
from smmu.domain.signatures import Sniffed
from smmu.domain.sniff import sniff

ADVICE = "Upload a picture, a video or a sound file."


def operation(head: bytes) -> str:
    """The child's operation for a file that begins like this. Raises `Refused` for what must not be decoded."""
    sniffed = admitted(head)
    return "inspect-image" if sniffed.kind is Kind.IMAGE else "inspect-av"


def admitted(head: bytes) -> Sniffed:
    """What the first bytes say, when that is something that may enter."""
    sniffed = sniff(head)
    if sniffed is None:
        raise refuse(Code.REJECTED_NOT_MEDIA, f"The file is of no format known here. {ADVICE}")
    if not sniffed.admitted:
        raise _turned_away(sniffed)
    return sniffed


def _turned_away(sniffed: Sniffed) -> Refused:
    if sniffed.container == "playlist":
        return refuse(Code.REJECTED_PLAYLIST, f"The file is {sniffed.label}. Upload the media itself.")
    if sniffed.container == "svg":
        return refuse(Code.REJECTED_ACTIVE_CONTENT, f"The file is {sniffed.label}. Export it as PNG and upload that.")
    if sniffed.kind is None:
        return refuse(Code.REJECTED_NOT_MEDIA, f"The file is {sniffed.label}. {ADVICE}")
    return refuse(
        Code.REJECTED_UNSUPPORTED, f"The file is {sniffed.label}, which cannot be processed. {_BETTER[sniffed.kind]}"
    )


_BETTER = {
    Kind.IMAGE: "Export it as JPEG or PNG and upload that.",
    Kind.VIDEO: "Export it as MP4 and upload that.",
    Kind.AUDIO: "Export it as MP3, AAC or WAV and upload that.",
}
