"""Root only for a moment: Home Assistant gives an add-on its data directory as root's, and starts it as root."""

import os
from pathlib import Path

USER_ID = 10001


def give_up_root(directory: Path, user_id: int = USER_ID) -> None:
    """Hands the directory to an ordinary user and becomes that user, for good. Does nothing unless we are root.

    A restored backup may hold files of any owner, so all of them are handed over each time. Links are not followed.
    """
    if os.geteuid() != 0:
        return
    for folder, _folders, files in os.walk(directory):
        for name in (folder, *(os.path.join(folder, file) for file in files)):  # noqa: PTH118 - os.walk speaks text
            os.chown(name, user_id, user_id, follow_symlinks=False)
    os.setgroups([])
    os.setgid(user_id)
    os.setuid(user_id)
