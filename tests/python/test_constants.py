"""The numbers of Linux that modules of the platform are given, against this machine's own."""

import errno
import fcntl
import os
import select
import socket
import sys
import termios
import unittest

from plugin_case import RUNTIME
from test_compat import Case, load

# Names of a later Python, which the table does not have to know.
LATER = sys.version_info[:2] != (3, 11)


def numbers(module):
    """The names of a module that stand for plain numbers."""
    return {
        name: int(value)
        for name, value in vars(module).items()
        if isinstance(value, int) and not isinstance(value, bool) and not name.startswith("_")
    }


class Constants(Case):
    def tables(self):
        import _cordon_constants

        return _cordon_constants

    def own_words(self, path, name):
        """The text of an assignment in one of the runtime's files that is no table here."""
        with open(os.path.join(RUNTIME[-1], path)) as file:
            text = file.read()
        return text[text.index(name) :]

    @unittest.skipIf(LATER, "the names are those of Python 3.11")
    def test_no_name_is_missing(self):
        constants = self.tables()
        import _cordon_os

        known = set(constants._OPEN) | set(_cordon_os._CONSTANTS) | set(constants.ABSENT)
        # Those that module os has on every platform, the second line with what it can open.
        known.update("F_OK R_OK W_OK X_OK SEEK_SET SEEK_CUR SEEK_END".split())
        known.update("O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_APPEND".split())
        known.update(("O_ACCMODE", "O_NDELAY"))
        known.update(name for name, _ in constants.pairs(constants._OS))
        self.assertEqual(sorted(set(numbers(os)) - known), [])
        of_table = lambda table: {name for name, _ in constants.pairs(table)}
        self.assertEqual(set(numbers(fcntl)) - of_table(constants._FCNTL), set())
        self.assertEqual(set(numbers(select)) - of_table(constants._SELECT), set())
        text = self.own_words("sockets/_socket.py", "_CONSTANTS")
        missing = set(numbers(socket)) - of_table(constants._SOCKET) - set(numbers(errno))
        missing = {name for name in missing if name.partition("_")[2] not in text}
        self.assertEqual(missing - {"SOMAXCONN"}, set())

    def test_the_numbers_are_those_of_linux(self):
        constants = self.tables()
        for module, table in (
            (os, constants._OS),
            (socket, constants._SOCKET),
            (fcntl, constants._FCNTL),
            (select, constants._SELECT),
        ):
            real = numbers(module)
            for name, number in constants.pairs(table):
                with self.subTest(name=name):
                    self.assertEqual(number, real.get(name, number))

    def test_flags_that_open_ignores_are_none_of_the_platforms(self):
        # wasi-libc: access, append, creation and the like.
        platform = 0x1F | 0xF000 | 0x1E000000
        for name, flag in self.tables()._OPEN.items():
            self.assertFalse(flag & platform, name)

    @unittest.skipIf(LATER, "the names are those of Python 3.11")
    def test_termios_has_every_name(self):
        ours = numbers(load("termios"))
        self.assertEqual(ours, numbers(termios))


if __name__ == "__main__":
    unittest.main()
