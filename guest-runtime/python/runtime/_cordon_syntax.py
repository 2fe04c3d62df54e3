"""The first syntax error of a source, as its parser meets it.

The interpreter's compiler looks for the words of an error all over a source that it could not
parse, and may find something in good lines far below. So the source is cut after its logical
lines: the shortest part that cannot be parsed ends with the line that is to blame.
"""

import re
import textwrap
from ast import PyCF_ONLY_AST

# Whatever decides where a logical line ends. A string that does not end takes its line, or the
# rest of the source if it has three quotes.
_TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''(?:\\.|[^\\])*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'(?:\\.|[^'\\\n])*'?"
    r"|(?P<comment>#[^\n]*)"
    r"|\\\n"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\n)",
    re.DOTALL,
)
_TRY = re.compile(r"try\s*:")
_MATCH = re.compile(r"match\s")

# Sources with more lines are told as the compiler tells them.
_LINES = 50_000


def first_error(source, path, failure):
    """The exception for the first error of a text that could not be parsed: ``failure``, which the
    compiler raised, unless its line is another one."""
    lines = source.split("\n")
    if len(lines) > _LINES:
        return failure
    ends, bracket = _logical_lines(source)
    at = _first_bad(lines, ends, path)
    if at is None:
        return failure
    first, last = (ends[at - 1] if at else 0) + 1, ends[at]
    while first < last and not lines[first - 1].strip():
        first += 1
    if bracket is not None and last == len(lines):
        # The rest of the source is one line, which the compiler may have found anything in.
        line, column, message = bracket
        return _made(SyntaxError(message), path, lines, line, column)
    if first <= (failure.lineno or 0) <= last:
        return failure
    found = _refusal(_completed(lines, ends, at), path)
    if found is not None and first <= (found.lineno or 0) <= last:
        return _made(found, path, lines, found.lineno, found.offset)
    # The line alone, where there is nothing else to be found.
    alone = textwrap.dedent("\n".join(lines[first - 1 : last]))
    found = _refusal(alone + "\n", path)
    lead = len(lines[first - 1]) - len(alone.partition("\n")[0])
    if found is not None and 1 <= (found.lineno or 0) <= last - first + 1:
        return _made(found, path, lines, found.lineno + first - 1, (found.offset or 1) + lead)
    return _made(SyntaxError("invalid syntax"), path, lines, first, lead + 1)


def _made(failure, path, lines, line, column):
    """The same exception for a place in the source."""
    return type(failure)(failure.msg, (path, line, column or 1, lines[line - 1]))


def _logical_lines(source):
    """The numbers of the lines that end a logical one, and what is wrong with the brackets if the
    last one has no end: line, column and words, or ``None``."""
    ends, brackets, wrong = [], [], None
    line, begins = 1, 0
    for token in _TOKENS.finditer(source):
        kind, text = token.lastgroup, token.group()
        column = token.start() - begins + 1
        if kind == "open":
            brackets.append((line, column, text))
        elif kind == "close" and brackets:
            opener = brackets.pop()
            if wrong is None and opener[2] + text not in ("()", "[]", "{}"):
                words = "closing parenthesis '%s' does not match opening parenthesis '%s'"
                wrong = line, column, words % (text, opener[2])
                if opener[0] != line:
                    wrong = line, column, wrong[2] + " on line %d" % opener[0]
                # Nothing can be said of where lines end from here on.
                brackets.append(opener)
        elif kind == "end" and not brackets:
            ends.append(line)
        count = text.count("\n")
        if count:
            line += count
            begins = token.start() + text.rindex("\n") + 1
    if not ends or ends[-1] < line:
        ends.append(line)
    if brackets and wrong is None:
        wrong = *brackets[0][:2], "'%s' was never closed" % brackets[0][2]
    return ends, wrong if brackets else None


def _first_bad(lines, ends, path):
    """The index of the first logical line that cannot be parsed with those before it; nothing
    for a source that can be parsed whole."""
    good, bad = -1, len(ends) - 1
    if _refusal("\n".join(lines) + "\n", path) is None:
        return None
    while bad - good > 1:
        middle = (good + bad) // 2
        if _refusal(_completed(lines, ends, middle), path) is None:
            good = middle
        else:
            bad = middle
    return bad


def _refusal(text, path):
    """The parser's exception for a text, or nothing."""
    try:
        compile(text, path, "exec", flags=PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as failure:
        return failure
    except (ValueError, RecursionError, MemoryError, OverflowError):
        pass
    return None


def _completed(lines, ends, index):
    """The source up to a logical line, with an end for every block that this leaves open."""
    kept = lines[: ends[index]]
    begins = [0, *ends[:index]]
    # The logical lines that say something, from the last one on: first and last line of each.
    said = (
        (begin, end)
        for begin, end in zip(reversed(begins), reversed(ends[: index + 1]))
        if kept[begin].strip() and not kept[begin].lstrip().startswith("#")
    )
    more = []
    begin, end = next(said, (None, None))
    if begin is None:
        return "\n".join(kept) + "\n"
    text = kept[begin].lstrip()
    lead = kept[begin][: len(kept[begin]) - len(text)]
    tail = _TOKENS.sub(lambda it: "" if it["comment"] else it.group(), kept[end - 1])
    if text.startswith("@"):
        more.append(lead + "def _(): pass")
    elif tail.rstrip().endswith(":"):
        more.append(lead + (" case _: pass" if _MATCH.match(text) else " pass"))
    if _TRY.match(text):
        more.append(lead + "except Exception: pass")
    for begin, _ in said:
        text = kept[begin].lstrip()
        outer = kept[begin][: len(kept[begin]) - len(text)]
        if len(outer) < len(lead):
            lead = outer
            if _TRY.match(text):
                more.append(lead + "except Exception: pass")
        if not lead:
            break
    return "\n".join(kept + more) + "\n"
