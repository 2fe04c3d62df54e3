"""Package ``Crypto`` under the name that pycryptodomex gives it.

Every part is the module of ``Crypto`` itself, so that a key or hash of one name goes with
the other.
"""

import importlib
import importlib.util
import sys
from _frozen_importlib import ModuleSpec

from Crypto import __version__, version_info


def _real(name):
    return "Crypto" + name[len("Cryptodome"):]


class _Parts:
    """Finds the parts."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("Cryptodome.") and importlib.util.find_spec(_real(name)) is not None:
            return ModuleSpec(name, _Parts, origin="cordon")
        return None

    @staticmethod
    def create_module(spec):
        module = importlib.import_module(_real(spec.name))
        spec.loader_state = module.__spec__
        return module

    @staticmethod
    def exec_module(module):
        """Gives the module its own specification back; its code has run."""
        module.__spec__ = module.__spec__.loader_state


sys.meta_path.append(_Parts)
