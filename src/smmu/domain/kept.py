"""What a new revision keeps of the one before it, as far as its new playlists have to name it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrack:
    """A rung, or a sound, that an earlier job made and whose files stay as and where they are.

    `place` is its folder as that revision's DASH manifest finds it, `folder` as the new playlists do. `sizes` are its
    segments' bytes, in order. `keys` is the text of its playlist of keyframes ("" of a sound). The rest is for menus.
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
    """The tracks that are kept, and the DASH manifest they are described in: every duration to the tick.

    `order` has the names of all that there is or will be: the first sound in it is the main one.
    """

    manifest: str
    tracks: tuple[KeptTrack, ...]
    order: tuple[str, ...]
