"""Finding and loading modules by hand, as before ``importlib``."""

import importlib
import importlib.machinery
import importlib.util
import os
import sys
import types

SEARCH_ERROR, PY_SOURCE, PY_COMPILED, C_EXTENSION = 0, 1, 2, 3
PKG_DIRECTORY, C_BUILTIN, PY_FROZEN = 5, 6, 7

reload = importlib.reload
cache_from_source = importlib.util.cache_from_source
source_from_cache = importlib.util.source_from_cache


def get_magic():
    return importlib.util.MAGIC_NUMBER


def get_tag():
    return sys.implementation.cache_tag


def get_suffixes():
    return [(suffix, "r", PY_SOURCE) for suffix in importlib.machinery.SOURCE_SUFFIXES]


def new_module(name):
    return types.ModuleType(name)


def is_builtin(name):
    return int(name in sys.builtin_module_names)


def is_frozen(name):
    spec = importlib.machinery.FrozenImporter.find_spec(name)
    return spec is not None


def lock_held():
    return False


def acquire_lock():
    return None


release_lock = acquire_lock


def find_module(name, path=None):
    """An open file, its path and a description; ``ImportError`` when there is none."""
    if path is None and is_builtin(name):
        return None, None, ("", "", C_BUILTIN)
    for folder in sys.path if path is None else path:
        package = os.path.join(folder, name)
        if os.path.isfile(os.path.join(package, "__init__.py")):
            return None, package, ("", "", PKG_DIRECTORY)
        source = package + ".py"
        if os.path.isfile(source):
            return open(source, encoding="utf-8"), source, (".py", "r", PY_SOURCE)
    if path is None and is_frozen(name):
        return None, None, ("", "", PY_FROZEN)
    raise ImportError("No module named '%s'" % name, name=name)


def _load(name, path, folders=None):
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folders)
    known = sys.modules.get(name)
    module = importlib.util.module_from_spec(spec) if known is None else known
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if known is None:
            sys.modules.pop(name, None)
        raise
    return sys.modules[name]


def load_source(name, pathname, file=None):
    return _load(name, pathname)


def load_package(name, path):
    return _load(name, os.path.join(path, "__init__.py"), [path])


def load_module(name, file, filename, details):
    """Loads the module that ``find_module`` found."""
    kind = details[2]
    if kind == PY_SOURCE:
        return load_source(name, filename, file)
    if kind == PKG_DIRECTORY:
        return load_package(name, filename)
    if kind in (C_BUILTIN, PY_FROZEN):
        return importlib.import_module(name)
    raise ImportError("a module of kind %r cannot be loaded" % (kind,), name=name)


def load_dynamic(name, path, file=None):
    raise ImportError("native modules cannot be loaded into a component", name=name, path=path)


class NullImporter:
    """Finds nothing."""

    def __init__(self, path):
        if path == "":
            raise ImportError("empty pathname", path="")
        if os.path.isdir(path):
            raise ImportError("existing directory", path=path)

    def find_module(self, fullname):
        return None
