"""Every step at the desk can be undone: whoever adds one says here by what, or why it cannot be."""

import pytest
from starlette.routing import Route

from digest.web.app import routes

POSTS = {r.path for r in routes() if isinstance(r, Route) and "POST" in (r.methods or set())}
MESSAGE, THREAD, EDITION, MEMBER = (
    "/message/{message:id}",
    "/thread/{thread:id}",
    "/edition/{edition:id}",
    "/member/{member:id}",
)
LEFT = "a mail has left"
NOTHING = "it changes nothing"
#: What is done → the path that undoes it (often its own: the same form, pressed again), or why nothing does.
UNDONE_BY = {
    "/sign-in": LEFT,
    "/sign-in/{token}": "/sign-out",
    "/sign-out": "/sign-in",
    "/community": "/community",
    "/digest/{token}": "/digest/{token}",
    THREAD: f"{THREAD}/version/{{version:id}}",
    f"{THREAD}/version/{{version:id}}": f"{THREAD}/version/{{version:id}}",
    f"{THREAD}/describe": f"{THREAD}/describe",
    f"{THREAD}/hold_back": f"{THREAD}/hold_back",
    f"{THREAD}/close": f"{THREAD}/close",
    f"{THREAD}/merge": "/ruling/{ruling:id}/undo",
    f"{MESSAGE}/split": "/ruling/{ruling:id}/undo",
    f"{MESSAGE}/move": "/ruling/{ruling:id}/undo",
    "/ruling/{ruling:id}/undo": f"{MESSAGE}/move",
    f"{MESSAGE}/hide": f"{MESSAGE}/unhide",
    f"{MESSAGE}/unhide": f"{MESSAGE}/hide",
    "/held": "/held",
    f"{MESSAGE}/redact": f"{MESSAGE}/hold",
    f"{MESSAGE}/release": f"{MESSAGE}/hold",
    f"{MESSAGE}/admit": f"{MESSAGE}/hold",
    f"{MESSAGE}/alias": f"{MESSAGE}/hold",
    f"{MESSAGE}/place": f"{MESSAGE}/hold",
    f"{MESSAGE}/hold": f"{MESSAGE}/release",
    f"{MESSAGE}/discard": f"{MESSAGE}/restore",
    f"{MESSAGE}/restore": f"{MESSAGE}/discard",
    f"{EDITION}/html": NOTHING,
    f"{EDITION}/trying": NOTHING,
    f"{EDITION}/close": f"{EDITION}/reopen",
    f"{EDITION}/reopen": f"{EDITION}/close",
    f"{EDITION}/introduce": f"{EDITION}/unwrite",
    f"{EDITION}/unwrite": f"{EDITION}/unwrite",
    f"{EDITION}/order": f"{EDITION}/order",
    f"{EDITION}/schedule": f"{EDITION}/schedule",
    f"{EDITION}/test": LEFT,
    f"{EDITION}/approve": f"{EDITION}/stop",
    f"{EDITION}/send_now": f"{EDITION}/stop",
    f"{EDITION}/stop": f"{EDITION}/approve",
    f"{EDITION}/pause": f"{EDITION}/resume",
    f"{EDITION}/resume": f"{EDITION}/pause",
    f"{EDITION}/give_up": "/delivery/{delivery:id}",
    "/delivery/{delivery:id}": LEFT,
    "/members/new": f"{MEMBER}/remove",
    "/members/check": NOTHING,
    "/members/import": "/members/import",
    MEMBER: MEMBER,
    f"{MEMBER}/digest": f"{MEMBER}/digest",
    f"{MEMBER}/invite": LEFT,
    f"{MEMBER}/mend": f"{MEMBER}/digest",
    f"{MEMBER}/remove": f"{MEMBER}/bring_back",
    f"{MEMBER}/bring_back": f"{MEMBER}/remove",
    f"{MEMBER}/erase": "the law wants it gone; the name must be typed first",
}


def test_every_step_says_by_what_it_is_undone() -> None:
    assert set(UNDONE_BY) == POSTS


@pytest.mark.parametrize("by", sorted({by for by in UNDONE_BY.values() if by.startswith("/")}))
def test_what_undoes_a_step_is_there(by: str) -> None:
    assert by in POSTS
