"""The vendor's roles on Glance, by policies such as an operator may write: who may create, read, update and delete.

Glance knows reader, member and admin, and lets nobody but administrators have tasks. With these policies the roles of the
vendor's page mean what it says, and tasks are open to whoever may create. What is not named stays as Glance has it.
"""

from __future__ import annotations

import json

IMAGES, CREATOR, IMAGES_OBSERVER = "cloudImages:admin", "cloudImages:creator", "cloudImages:observer"
OBSERVER, OWNER = "observer", "identity:user-admin"
VENDORS = (IMAGES, CREATOR, IMAGES_OBSERVER, OBSERVER, OWNER)
"""The roles that Keystone does not bring. That of the vendor's administrators is ``admin``, which in OpenStack is more."""

DELETES = ("member", IMAGES, OWNER)
WRITES = (*DELETES, CREATOR)
READS = (*WRITES, "reader", IMAGES_OBSERVER, OBSERVER)

MINE, LENT = "project_id:%(project_id)s", "project_id:%(member_id)s"
OPEN = " or ".join(f"'{visibility}':%(visibility)s" for visibility in ("community", "public", "shared"))


def _of(roles: tuple[str, ...], whose: str) -> str:
    return f"rule:context_is_admin or (({' or '.join(f'role:{role}' for role in roles)}) and ({whose}))"


_POLICIES = {
    "tasks_api_access": _of(WRITES, "@"),
    "add_image": _of(WRITES, f"{MINE} and project_id:%(owner)s"),
    "modify_member": _of(WRITES, LENT),
    "delete_image": _of(DELETES, MINE),
    "get_images": _of(READS, MINE),
    "get_image": _of(READS, f"{MINE} or {LENT} or {OPEN}"),
    "download_image": _of(READS, f"{MINE} or {LENT} or {OPEN}"),
    **dict.fromkeys(
        ("modify_image", "upload_image", "communitize_image", "add_member", "deactivate", "reactivate"),
        _of(WRITES, MINE),
    ),
    "delete_member": _of(DELETES, MINE),
    **dict.fromkeys(("get_member", "get_members"), _of(READS, f"{MINE} or {LENT}")),
}

POLICIES = json.dumps(_POLICIES, indent=1)
"""The file of policies: JSON, which is YAML too."""
