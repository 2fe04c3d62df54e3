"""Looking for programs and running them."""

import shutil

from distutils.errors import DistutilsExecError


def find_executable(executable, path=None):
    return shutil.which(executable, path=path)


def spawn(cmd, search_path=1, verbose=0, dry_run=0, env=None):
    """Runs a program; ``DistutilsExecError`` when it fails or may not be run."""
    if dry_run:
        return
    import subprocess

    try:
        code = subprocess.call(list(cmd), env=env)
    except OSError as failure:
        raise DistutilsExecError("command %r failed: %s" % (cmd[0], failure)) from failure
    if code:
        raise DistutilsExecError("command %r failed with exit code %s" % (cmd[0], code))
