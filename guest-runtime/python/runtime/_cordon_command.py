"""Programs to be started: the command line of one, and the hub's answer to a start.

Owns which program a command names, whether it needs a shell, and the exception for each refusal.
"""

import errno
import os
import re
import shlex
import subprocess

import _cordon_processes as hub

from _cordon_children import codes

SHELL = "/bin/sh"

# Where a stream leads, as `_cordon_processes.spawn` numbers it.
NOTHING, PIPE, OUTPUT = range(3)

# Whatever makes a shell do more than start one program with these words.
_SHELL_WORK = re.compile(r"[|&;<>()$`\\*?\[\]#~!{}\n]")

# The ends of many commands that need no shell.
_REDIRECTION = re.compile(r"\s*(?:([12]?)>\s*/dev/null|(2>&1))\s*$")

_PING = "cordon_icmp.ping(), which starts no program and needs `icmp = [\"HOST\"]`"


def command(args, shell, executable, stdout, stderr):
    """Program and words to be started, and where its output goes."""
    if isinstance(args, (str, bytes, os.PathLike)):
        words = [os.fsdecode(args)]
    else:
        words = [os.fsdecode(word) for word in args]
    if executable is not None:
        executable = os.fsdecode(executable)
    if not words:
        raise IndexError("list index out of range")
    if any("\0" in word for word in words):
        raise ValueError("embedded null byte")
    if not shell:
        return executable or words[0], words[1:], stdout, stderr
    shell_program = executable or SHELL
    if hub.find(shell_program) is None and len(words) == 1:
        # A command that needs no shell runs without one, under its own grant.
        plain = _without_shell(words[0], stdout, stderr)
        if plain is not None:
            return plain
    return shell_program, ["-c", *words], stdout, stderr


def _without_shell(command, stdout, stderr):
    steps = []
    while match := _REDIRECTION.search(command):
        steps.append(match)
        command = command[: match.start()]
    if _SHELL_WORK.search(command):
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or "=" in words[0]:
        return None
    for step in reversed(steps):
        if step.group(2):
            stderr = stdout if stdout == subprocess.DEVNULL else subprocess.STDOUT
        elif step.group(1) == "2":
            stderr = subprocess.DEVNULL
        elif stderr == subprocess.STDOUT:
            # Sending error output to where standard output was needs a shell.
            return None
        else:
            stdout = subprocess.DEVNULL
    return words[0], words[1:], stdout, stderr


def leads(given, output=NOTHING):
    if given is None or given == subprocess.DEVNULL:
        return NOTHING
    if given == subprocess.STDOUT:
        return OUTPUT if output == PIPE else NOTHING
    return PIPE


def spawn(program, words, env, cwd, ends):
    variables = []
    if env is not None:
        variables = [(os.fsdecode(name), os.fsdecode(value)) for name, value in env.items()]
    folder = os.getcwd() if cwd is None else os.path.abspath(os.fsdecode(cwd))
    named = program
    if "/" in program:
        # A path without a beginning begins in the folder in which the program would run.
        named = os.path.join(folder, program)
        if named != program:
            named = os.path.normpath(named)
    word, value = hub.spawn(named, words, variables, folder, *ends)
    if word == "no-folder" and cwd is None:
        # The working folder is one that only the plugin has, such as the one of its packages.
        word, value = hub.spawn(named, words, variables, None, *ends)
    if word == "started":
        codes[value] = None
        return value
    is_ping = os.path.basename(program) in ("ping", "ping6")
    if word == "denied":
        if is_ping:
            value += "; or call %s" % _PING
        elif program == SHELL:
            value += "; a command without a shell's signs needs only a grant for its own program"
        raise PermissionError(errno.EACCES, value)
    if word == "not-found":
        reason = os.strerror(errno.ENOENT)
        if is_ping:
            reason += "; call %s" % _PING
        raise FileNotFoundError(errno.ENOENT, reason, program)
    if word == "no-folder":
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), cwd)
    number = errno.EAGAIN if word == "too-many" else value
    raise OSError(number, os.strerror(number), program)
