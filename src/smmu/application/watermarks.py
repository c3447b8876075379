"""The picture that an owner wants laid over a video, found among their own media."""

from smmu.application.revisions import facts_of
from smmu.application.store import Store
from smmu.domain.errors import Refused
from smmu.domain.media import Media, State
from smmu.domain.options import Options
from smmu.domain.plan_watermark import gone, pinned
from smmu.domain.values import MEDIA, is_id
from smmu.domain.watermark import Watermark
from smmu.ports.errors import NotFound
from smmu.ports.objects import ObjectStore


async def watermark_of(
    store: Store, objects: ObjectStore, owner: str, options: Options, *, named: bool = True, later: bool = False
) -> Watermark | None:
    """What is to be laid over it, as it is now; `None` where nothing is.

    Raises `Refused` for what cannot be: another owner's picture is refused as one that does not exist, and one whose
    file storage has expired is no longer kept. Where it is not `named` just now, it was once, and was there. `later` is
    for a film that is ready.
    """
    wish = options.watermark
    if wish is None:
        return None
    stored = await store.find(Media, owner, wish.image) if is_id(MEDIA, wish.image) else None
    known = None if stored is None or stored.value.state is State.DELETED else stored.value
    if known is None and not named:
        raise Refused(gone(later=later))
    image = facts_of(known).image if known is not None and known.facts else None
    made = pinned(wish, known, image, store.limits)
    try:
        await objects.open(made.image)
    except NotFound as error:  # which no record tells of
        raise Refused(gone(later=later)) from error
    return made
