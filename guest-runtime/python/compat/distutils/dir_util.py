"""Copying and removing folders."""

import os
import shutil

from distutils.errors import DistutilsFileError


def mkpath(name, mode=0o777, verbose=1, dry_run=0):
    if not dry_run:
        os.makedirs(name, mode, exist_ok=True)
    return [name]


def copy_tree(
    src, dst, preserve_mode=1, preserve_times=1, preserve_symlinks=0, update=0, verbose=1, dry_run=0
):
    """Copies the content of ``src`` into ``dst``, which may exist; returns the files."""
    if not os.path.isdir(src):
        raise DistutilsFileError("cannot copy tree '%s': not a directory" % src)
    copied = []
    for folder, _, files in os.walk(src):
        target = os.path.normpath(os.path.join(dst, os.path.relpath(folder, src)))
        if not dry_run:
            os.makedirs(target, exist_ok=True)
        for name in files:
            source, copy = os.path.join(folder, name), os.path.join(target, name)
            if (
                update
                and os.path.exists(copy)
                and (os.path.getmtime(copy) >= os.path.getmtime(source))
            ):
                continue
            if not dry_run:
                (shutil.copy2 if preserve_times else shutil.copy)(source, copy)
            copied.append(copy)
    return copied


def remove_tree(directory, verbose=1, dry_run=0):
    if not dry_run:
        shutil.rmtree(directory)
