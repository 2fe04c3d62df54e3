"""Copying and moving files."""

import os
import shutil


def copy_file(
    src, dst, preserve_mode=1, preserve_times=1, update=0, link=None, verbose=1, dry_run=0
):
    """Copies a file; returns its new name and whether it was copied."""
    if os.path.isdir(dst):
        dst = os.path.join(dst, os.path.basename(src))
    if update and os.path.exists(dst) and os.path.getmtime(dst) >= os.path.getmtime(src):
        return (dst, 0)
    if not dry_run:
        (shutil.copy2 if preserve_times else shutil.copy)(src, dst)
    return (dst, 1)


def move_file(src, dst, verbose=1, dry_run=0):
    return dst if dry_run else shutil.move(src, dst)


def write_file(filename, contents):
    with open(filename, "w") as file:
        file.writelines(line + "\n" for line in contents)
