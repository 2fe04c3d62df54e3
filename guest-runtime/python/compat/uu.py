"""Uuencoded files."""

import binascii
import os
import sys

__all__ = ["Error", "encode", "decode"]


class Error(Exception):
    pass


def _opened(file, mode):
    """The file, whether to close it, and its name."""
    if file == "-":
        return (sys.stdin if "r" in mode else sys.stdout).buffer, False, "-"
    if isinstance(file, str):
        return open(file, mode), True, os.path.basename(file)
    return file, False, "-"


def encode(in_file, out_file, name=None, mode=None, *, backtick=False):
    source, close_source, base = _opened(in_file, "rb")
    target, close_target, _ = _opened(out_file, "wb")
    try:
        head = "begin %o %s\n" % ((mode or 0o666) & 0o777, name or base)
        target.write(head.encode("ascii"))
        while data := source.read(45):
            target.write(binascii.b2a_uu(data, backtick=backtick))
        target.write(b"`\nend\n" if backtick else b" \nend\n")
    finally:
        for file, close in ((source, close_source), (target, close_target)):
            if close:
                file.close()


def decode(in_file, out_file=None, mode=None, quiet=False):
    source, close_source, _ = _opened(in_file, "rb")
    target = None
    close_target = False
    try:
        while True:
            line = source.readline()
            if not line:
                raise Error("No valid begin line found in input file")
            parts = line.split(b" ", 2)
            if len(parts) == 3 and parts[0] == b"begin":
                break
        if out_file is None:
            out_file = parts[2].rstrip(b" \t\r\n\f").decode("ascii")
            if os.path.exists(out_file):
                raise Error("Cannot overwrite existing file: " + out_file)
            if os.path.isabs(out_file) or ".." in out_file.split("/"):
                raise Error("Refusing to write to %s due to directory traversal" % out_file)
        target, close_target, _ = _opened(out_file, "wb")
        while (line := source.readline()) and line.strip(b" \t\r\n\f") != b"end":
            try:
                target.write(binascii.a2b_uu(line))
            except binascii.Error as failure:
                # Written by an encoder that counts the last line wrongly.
                length = (((line[0] - 32) & 63) * 4 + 5) // 3
                target.write(binascii.a2b_uu(line[:length]))
                if not quiet:
                    sys.stderr.write("Warning: %s\n" % failure)
        if not line:
            raise Error("Truncated input file")
    finally:
        for file, close in ((source, close_source), (target, close_target)):
            if close and file is not None:
                file.close()
