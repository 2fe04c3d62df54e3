"""Compiles the sources of plugins and their packages.

Owns two corrections. The interpreter looks for some mistakes in the text of a module
that it has parsed already, and takes words of comments for code there, such as the
"for" in ``f(a=b  # for later)``. A module that it refuses is compiled once more without
its comments. If that is refused too, an exception is raised for the module as it is written,
with the line of its first error, which the interpreter does not always find.
"""

import re
from ast import PyCF_ONLY_AST
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source

from _cordon_syntax import first_error

# A string literal, or a comment. A string that does not end is left to the compiler.
_TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''(?:\\.|[^\\])*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'"
    r"|(?P<comment>#[^\n]*)",
    re.DOTALL,
)


def compiled(source, path):
    """The code of a module from its bytes.

    Raises the exception for the first error of the module as it is written.
    """
    return _made(source, path, 0)


def tree(source, path):
    """The syntax tree of a module from its bytes or its text; raises as ``compiled`` does."""
    return _made(source, path, PyCF_ONLY_AST)


def _made(source, path, flags):
    try:
        return compile(source, path, "exec", flags=flags, dont_inherit=True)
    except SyntaxError as failure:
        try:
            text = source if isinstance(source, str) else decode_source(source)
        except (SyntaxError, ValueError, LookupError):
            raise failure from None
        try:
            bare = _TOKENS.sub(_without_comment, text)
            return compile(bare, path, "exec", flags=flags, dont_inherit=True)
        except (SyntaxError, ValueError, LookupError):
            pass
        raise first_error(text, path, failure) from None


def _without_comment(found):
    # Blanks of the comment's length leave every position as it is.
    return found.group() if found["comment"] is None else " " * len(found.group())


def install():
    """Modules that are imported are compiled here too."""

    def source_to_code(self, data, path, **options):
        if not isinstance(data, (bytes, bytearray, memoryview)):
            return original(self, data, path, **options)
        return compiled(bytes(data), path)

    original = SourceFileLoader.source_to_code
    SourceFileLoader.source_to_code = source_to_code
