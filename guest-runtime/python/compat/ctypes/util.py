"""``ctypes.util``: no library is ever found."""


def find_library(name):
    return None


def find_msvcrt():
    return None
