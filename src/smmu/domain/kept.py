"""What a new revision keeps of the one before it, as far as its new playlists have to name it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrack:
    """A rung, or a sound, that an earlier job made and whose files stay as and where they are.

    `place` is its folder below the media's, `folder` is it as the new playlists find it. `sizes` are its segments'
    bytes, in order. `keys` is the text of its playlist of keyframes ("" of a sound). The rest is for menus.
    """

    name: str
    place: str
    folder: str
    sizes: tuple[int, ...]
    keys: str = ""
    title: str = ""
    language: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The tracks that are kept, and the DASH manifest at `place` that describes them: every duration to the tick.

    `order` has the names of all that there is or will be: the first sound in it is the main one. `heard` are the tracks
    of the source that all of its sounds are made of: where the first of them and of the pictures begins is time zero.
    """

    manifest: str
    place: str
    tracks: tuple[KeptTrack, ...]
    order: tuple[str, ...]
    heard: tuple[int, ...]
