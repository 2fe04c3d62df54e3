"""Exceptions."""


class DistutilsError(Exception):
    pass


class DistutilsFileError(DistutilsError):
    pass


class DistutilsExecError(DistutilsError):
    pass


class DistutilsPlatformError(DistutilsError):
    pass
