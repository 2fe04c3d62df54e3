"""The parts of ``distutils`` that programs used for other things than building."""

# Programs say `import distutils` and find its parts, because something of CPython has
# imported them.
from . import version  # noqa: F401

__version__ = "3.11"
