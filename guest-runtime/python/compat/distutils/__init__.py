"""The parts of ``distutils`` that programs used for other things than building."""

__version__ = "3.11"
