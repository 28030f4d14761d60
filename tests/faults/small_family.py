"""A parent and its children in the small model: await_children, build, publish and cascade."""

from __future__ import annotations

from tests.faults.small_model import CHILD_QUEUE, GONE, HIDDEN, PARENT, Family, Job, Sheet, Token


def await_children(sheet: Sheet, job_id: int, children: tuple[int, ...]) -> None:
    """Let a job wait for its children: transition/await_children.lua."""
    if (children or not published(sheet)) and sheet.on("await_children:forget"):
        forget_children(sheet)
    take_children(sheet, children, hidden=False)
    if children:
        sheet.family = sheet.family._replace(listed=frozenset(children))
    sheet.move(job_id, "processing", "children", rescues=0, ttl=False)
    sheet.children |= {job_id}
    sheet.family = sheet.family._replace(built=False, building_visit=-1, next=sheet.rules.next)
    publish_children(sheet, children)
    if not children:
        failed = sheet.family.failed_child
        side = "immortal" if sheet.family.side != "none" else "none"
        sheet.family = sheet.family._replace(side=side, failed_child=False)
        if failed and sheet.on("await_children:failed"):
            sheet.child_failed()
    if not sheet.family.pending and sheet.on("await_children:none"):
        sheet.join()


def published(sheet: Sheet) -> bool:
    """Whether the children of this visit were let out before."""
    return sheet.family.built and sheet.family.building_visit == sheet.jobs[PARENT].visit


def forget_children(sheet: Sheet) -> None:
    """Forget the children of an earlier visit, or of an attempt that came to nothing."""
    sheet.family = Family(known=sheet.family.known, next=sheet.family.next, cancelling=sheet.family.cancelling)


def take_children(sheet: Sheet, children: tuple[int, ...], *, hidden: bool) -> None:
    """Write the hashes of children."""
    for child in children:
        sheet.jobs[child] = Job(status=HIDDEN if hidden else "waiting", ttl=hidden)
    sheet.family = sheet.family._replace(pending=sheet.family.pending | frozenset(children))


def publish_children(sheet: Sheet, children: tuple[int, ...]) -> None:
    """Let children wait in their queue."""
    sheet.family = sheet.family._replace(known=sheet.family.known | frozenset(children))
    for child in children:
        sheet.push(CHILD_QUEUE, child)


def build(sheet: Sheet, token: Token, child: int, offset: int) -> tuple[str, int]:
    """Write one part of many children, which no worker sees yet."""
    word = sheet.owned(token)
    if word != "ok":
        return word, 0
    if published(sheet) and sheet.on("build:built"):
        return "built", 0
    visit = sheet.jobs[PARENT].visit
    if not sheet.family.building or (sheet.family.building_visit != visit and sheet.on("build:visit")):
        forget_children(sheet)
        sheet.family = sheet.family._replace(building_visit=visit)
    if len(sheet.family.building) != offset and sheet.on("build:offset"):
        return "ok", len(sheet.family.building)
    take_children(sheet, (child,), hidden=True)
    sheet.family = sheet.family._replace(building=(*sheet.family.building, child))
    return "ok", len(sheet.family.building)


def publish(sheet: Sheet, token: Token) -> tuple[str, int]:
    """Let all written children wait in their queue."""
    word = sheet.owned(token)
    if word != "ok":
        return word, 0
    children = sheet.family.building
    if not published(sheet) or not sheet.on("publish:once"):
        visit = sheet.jobs[PARENT].visit
        sheet.family = sheet.family._replace(listed=frozenset(children), built=True, building_visit=visit)
    sheet.family = sheet.family._replace(building=())
    for child in children:
        sheet.change(child, status="waiting", ttl=False)
    publish_children(sheet, children)
    return "ok", 0


def cascade(sheet: Sheet) -> str:
    """Go on cancelling the children of a parent that was cancelled."""
    family = sheet.family
    if not family.cancelling:
        return ""
    if family.building:
        for child in family.building:
            sheet.jobs[child] = sheet.jobs[child]._replace(status=GONE)
        sheet.family = family._replace(building=(), pending=family.pending - frozenset(family.building))
        return "more"
    for child in sorted(family.listed):
        if child in sheet.family.pending and sheet.cancel_job(child) == GONE:
            sheet.settle_missing(child)
    sheet.family = sheet.family._replace(cancelling=False)
    if sheet.jobs[PARENT].status == "cancelled":
        sheet.change(PARENT, ttl=True)
    return "all"
