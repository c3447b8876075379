"""The media type of a container by what is in it: an MP4 with sound alone is `audio/mp4`. Only names, no bytes."""

from smmu.domain.facts import Kind

_AUDIO = {
    "video/mp4": "audio/mp4",
    "video/x-m4v": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/3gpp": "audio/3gpp",
    "video/3gpp2": "audio/3gpp2",
    "video/x-matroska": "audio/x-matroska",
    "video/webm": "audio/webm",
    "video/ogg": "audio/ogg",
    "video/x-ms-asf": "audio/x-ms-wma",
}
_VIDEO = {
    "audio/mp4": "video/mp4",
    "audio/x-matroska": "video/x-matroska",
    "audio/webm": "video/webm",
    "audio/ogg": "video/ogg",
    "audio/x-ms-wma": "video/x-ms-asf",
}


def by_content(content_type: str, kind: Kind) -> str:
    """The type that the first bytes suggested, corrected by what the tracks really are."""
    table = _AUDIO if kind is Kind.AUDIO else _VIDEO
    return table.get(content_type, content_type)
