"""Compiles every module of the packages into the folder for compiled code.

Nothing of the packages is run. Modules that do not compile are left out: importing them
fails with its reason, as it would without this. The hash of the source stands in each
file instead of its time, because copies of a package have times of their own.
"""

import importlib.util
import os
import warnings
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.machinery import SourceFileLoader

PACKAGES = "/packages"
DONE = "/data/done"

# They are about the source of a package, which no user of a plugin can change.
warnings.simplefilter("ignore")


def compile_module(path):
    with open(path, "rb") as file:
        source = file.read()
    try:
        code = SourceFileLoader("module", path).source_to_code(source, path)
    except (SyntaxError, ValueError, RecursionError):
        return
    target = importlib.util.cache_from_source(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(_code_to_hash_pyc(code, importlib.util.source_hash(source), False))


def main():
    for folder, _, names in os.walk(PACKAGES):
        for name in names:
            if name.endswith(".py"):
                compile_module(os.path.join(folder, name))
    with open(DONE, "w"):
        pass


main()
