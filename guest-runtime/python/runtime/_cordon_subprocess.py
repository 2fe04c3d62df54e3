"""Processes of the hub as ``subprocess`` and ``os`` show them.

Owns the ``Popen`` that CPython's own ``subprocess`` module works with here, its
pipes, and the functions of ``os`` that deal with processes. ``install`` runs
before the snapshot. The hub decides which programs there are (grant ``exec``),
and bounds their number, time and output.
"""

import errno
import io
import os
import re
import shlex
import shutil
import subprocess
import threading

import _cordon_processes as hub

SHELL = "/bin/sh"

# Most bytes of one read or write.
CHUNK = 65536

# Where a stream leads, as `_cordon_processes.spawn` numbers it.
_NOTHING, _PIPE, _OUTPUT = range(3)

# The streams, as everybody numbers them.
_INPUT, _STDOUT, _STDERR = range(3)

SIGKILL = 9
SIGTERM = 15

WNOHANG = 1

# Whatever makes a shell do more than start one program with these words.
_SHELL_WORK = re.compile(r"[|&;<>()$`\\*?\[\]#~!{}\n]")

# The ends of many commands that need no shell.
_REDIRECTION = re.compile(r"\s*(?:([12]?)>\s*/dev/null|(2>&1))\s*$")

# Return codes of processes that were started here and not yet waited for with
# os.waitpid; None while nobody knows.
_children = {}


class _Lease:
    """Holds a process for as long as a ``Popen`` or a pipe of it is there."""

    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number

    def __del__(self):
        hub.release(self.number)


class Pipe(io.RawIOBase):
    """The plugin's end of a standard stream."""

    def __init__(self, lease, stream):
        self._lease = lease
        self._stream = stream
        # Whether another process reads this pipe, so that it is not ours to close.
        self._given = False

    def readable(self):
        return self._stream != _INPUT

    def writable(self):
        return self._stream == _INPUT

    def readinto(self, buffer):
        self._checkClosed()
        self._checkReadable()
        view = memoryview(buffer).cast("B")
        data = hub.read(self._lease.number, self._stream, min(len(view), CHUNK))
        view[: len(data)] = data
        return len(data)

    def write(self, data):
        self._checkClosed()
        self._checkWritable()
        written = hub.write(self._lease.number, bytes(memoryview(data)[:CHUNK]))
        if written is None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return written

    def fileno(self):
        raise io.UnsupportedOperation(
            "a pipe of a process has no descriptor here; read it, in a thread if need be"
        )

    def close(self):
        if not self.closed:
            super().close()
            if not self._given:
                hub.close(self._lease.number, self._stream)

    def give(self):
        """Lends the pipe to a copying thread; returns the object with which the thread
        reads."""
        self._given = True
        lease, stream = self._lease, self._stream
        return lambda: hub.read(lease.number, stream, CHUNK)

    def _checkClosed(self):
        if self.closed:
            raise ValueError("I/O operation on closed file.")

    def _checkReadable(self):
        if self._stream == _INPUT:
            raise io.UnsupportedOperation("File or stream is not readable.")

    def _checkWritable(self):
        if self._stream != _INPUT:
            raise io.UnsupportedOperation("File or stream is not writable.")


class Popen(subprocess.Popen):
    """``subprocess.Popen`` over the hub's processes.

    Steps that would run inside the new process before its program (``preexec_fn``,
    ``pass_fds``, another user) are refused.
    """

    def __init__(
        self,
        args,
        bufsize=-1,
        executable=None,
        stdin=None,
        stdout=None,
        stderr=None,
        preexec_fn=None,
        close_fds=True,
        shell=False,
        cwd=None,
        env=None,
        universal_newlines=None,
        startupinfo=None,
        creationflags=0,
        restore_signals=True,
        start_new_session=False,
        pass_fds=(),
        *,
        user=None,
        group=None,
        extra_groups=None,
        encoding=None,
        errors=None,
        text=None,
        umask=-1,
        pipesize=-1,
        process_group=None,
    ):
        self.args = args
        self.stdin = self.stdout = self.stderr = None
        self.pid = self.returncode = None
        self.encoding = encoding
        self.errors = errors
        self.pipesize = pipesize
        self._input = None
        self._communication_started = False
        self._sigint_wait_secs = 0
        self._lease = None
        if bufsize is None:
            bufsize = -1
        if not isinstance(bufsize, int):
            raise TypeError("bufsize must be an integer")
        if stdout is subprocess.STDOUT:
            raise ValueError("STDOUT can only be used for stderr")
        _refuse(preexec_fn, pass_fds, user, group, extra_groups, startupinfo, creationflags)
        if None not in (text, universal_newlines) and bool(text) != bool(universal_newlines):
            raise subprocess.SubprocessError(
                "Cannot disambiguate when both text and universal_newlines are supplied"
                " but different. Pass one or the other."
            )
        self.text_mode = encoding or errors or text or universal_newlines
        if self.text_mode and encoding is None:
            self.encoding = "utf-8"
        program, words, stdout, stderr = _command(args, shell, executable, stdout, stderr)
        ends = (_leads(stdin), _leads(stdout), _leads(stderr, _leads(stdout)))
        self.pid = _spawn(program, words, env, cwd, ends)
        self._child_created = True
        self._lease = _Lease(self.pid)
        self._open(stdin, stdout, stderr, ends, bufsize)

    def _open(self, stdin, stdout, stderr, ends, bufsize):
        """Makes the files that the plugin works with, and serves those that it gave."""
        lease = self._lease
        # The threads that still serve the plugin's own files.
        self._copying = []
        if ends[_INPUT] == _PIPE:
            if stdin == subprocess.PIPE:
                self.stdin = self._file(Pipe(lease, _INPUT), bufsize)
            else:
                self._copy(_source(stdin), Pipe(lease, _INPUT))
        for stream, given, leads in (
            (_STDOUT, stdout, ends[_STDOUT]),
            (_STDERR, stderr, ends[_STDERR]),
        ):
            if leads != _PIPE:
                continue
            pipe = Pipe(lease, stream)
            if given == subprocess.PIPE:
                file = self._file(pipe, bufsize)
                if stream == _STDOUT:
                    self.stdout = file
                else:
                    self.stderr = file
            else:
                self._copy(pipe.give(), given)

    def _file(self, pipe, bufsize):
        lines = bool(self.text_mode) and bufsize == 1
        size = io.DEFAULT_BUFFER_SIZE if bufsize < 0 or bufsize == 1 else bufsize
        if pipe.writable():
            file = io.BufferedWriter(pipe, size) if size else pipe
            if self.text_mode:
                if not size:
                    file = io.BufferedWriter(pipe)
                file = io.TextIOWrapper(
                    file,
                    write_through=True,
                    line_buffering=lines,
                    encoding=self.encoding,
                    errors=self.errors,
                )
        else:
            file = io.BufferedReader(pipe, size) if size else pipe
            if self.text_mode:
                if not size:
                    file = io.BufferedReader(pipe)
                file = io.TextIOWrapper(file, encoding=self.encoding, errors=self.errors)
        return file

    def _copy(self, read, to):
        """Carries bytes between the process and a file that the plugin gave."""
        write = _sink(to)

        def run():
            try:
                while data := read():
                    write(data)
            except (OSError, ValueError):
                # The other side reads no more, or the plugin closed its file.
                pass
            finally:
                if isinstance(to, Pipe):
                    to.close()

        thread = threading.Thread(target=run, name="subprocess", daemon=True)
        thread.start()
        if not isinstance(to, Pipe):
            self._copying.append(thread)

    def _internal_poll(self, _deadstate=None, **_):
        if self.returncode is None and self.pid is not None:
            self._ended(hub.wait(self.pid, 0))
        return self.returncode

    def _ended(self, code):
        if code is not None:
            self.returncode = code
            _children.pop(self.pid, None)

    def _wait(self, timeout):
        if self.returncode is None:
            nanoseconds = None if timeout is None else max(0, int(timeout * 1e9))
            self._ended(hub.wait(self.pid, nanoseconds))
            if self.returncode is None:
                raise subprocess.TimeoutExpired(self.args, timeout)
        # The output is in the plugin's files when the process is over.
        for thread in self._copying:
            thread.join()
        self._copying = []
        return self.returncode

    def _communicate(self, input, endtime, orig_timeout):
        if not self._communication_started:
            self._parts = ([], [])
            self._input = memoryview(b"")
            if self.stdin:
                self._begin_input(input)
        out, err = self._parts
        while True:
            want_out = self.stdout is not None and not self.stdout.closed
            want_err = self.stderr is not None and not self.stderr.closed
            if not (self._input or want_out or want_err):
                break
            left = self._remaining_time(endtime)
            if left is not None and left <= 0:
                self._check_timeout(endtime, orig_timeout, out, err, skip_check_and_raise=True)
            nanoseconds = None if left is None else int(left * 1e9)
            part = bytes(self._input[:CHUNK])
            written, more_out, more_err = hub.exchange(
                self.pid, part, want_out, want_err, nanoseconds
            )
            if written is not None:
                # Not reading its input is no error of the process.
                self._input = self._input[written:] if written else memoryview(b"")
                if not self._input:
                    self._close_input()
            for more, file, parts in ((more_out, self.stdout, out), (more_err, self.stderr, err)):
                if more:
                    parts.append(more)
                elif more is not None:
                    file.close()
        try:
            self.wait(timeout=self._remaining_time(endtime))
        except subprocess.TimeoutExpired as expired:
            expired.timeout = orig_timeout
            raise
        return self._result(self.stdout, out), self._result(self.stderr, err)

    def _begin_input(self, input):
        try:
            self.stdin.flush()
        except BrokenPipeError:
            pass
        except ValueError:
            if not self.stdin.closed:
                raise
        if input:
            if self.text_mode:
                input = input.encode(self.stdin.encoding, self.stdin.errors)
            self._input = memoryview(input).cast("B")
        else:
            self._close_input()

    def _close_input(self):
        try:
            self.stdin.close()
        except BrokenPipeError:
            pass

    def _result(self, file, parts):
        if file is None:
            return None
        data = b"".join(parts)
        if self.text_mode:
            return self._translate_newlines(data, file.encoding, file.errors)
        return data

    def send_signal(self, sig):
        if self.poll() is None:
            hub.signal(self.pid, int(sig))

    def terminate(self):
        self.send_signal(SIGTERM)

    def kill(self):
        self.send_signal(SIGKILL)

    def __del__(self, *_):
        """The process goes on; its lease tells the hub that nobody holds it."""


def _refuse(preexec_fn, pass_fds, user, group, extra_groups, startupinfo, creationflags):
    # These ask for a group of its own, which every process has in any case.
    if preexec_fn is not None and preexec_fn not in (setsid, setpgrp):
        raise ValueError("preexec_fn is not supported: the hub starts the program, not Python")
    if pass_fds:
        raise ValueError("pass_fds is not supported: processes get no descriptors of a plugin")
    if user is not None or group is not None or extra_groups is not None:
        raise ValueError("another user or group is not supported: programs run as the hub does")
    if startupinfo is not None or creationflags:
        raise ValueError("startupinfo and creationflags are only supported on Windows platforms")


def _command(args, shell, executable, stdout, stderr):
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


def _leads(given, output=_NOTHING):
    if given is None or given == subprocess.DEVNULL:
        return _NOTHING
    if given == subprocess.STDOUT:
        return _OUTPUT if output == _PIPE else _NOTHING
    return _PIPE


_PING = "cordon_icmp.ping(), which starts no program and needs `icmp = [\"HOST\"]`"


def _spawn(program, words, env, cwd, ends):
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
        _children[value] = None
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


def _source(given):
    """A function that reads the next bytes of the plugin's input."""
    if isinstance(given, int):
        return lambda: os.read(given, CHUNK)
    raw = getattr(getattr(given, "buffer", given), "raw", given)
    if isinstance(raw, Pipe):
        return raw.give()
    try:
        number = given.fileno()
    except (AttributeError, OSError):
        binary = getattr(given, "buffer", given)
        return lambda: binary.read(CHUNK)
    return lambda: os.read(number, CHUNK)


def _sink(given):
    """A function that writes all of some bytes to the plugin's output."""
    if isinstance(given, Pipe):
        return lambda data: _write_all(given.write, data)
    if isinstance(given, int):
        return lambda data: _write_all(lambda part: os.write(given, part), data)
    try:
        number = given.fileno()
    except (AttributeError, OSError):
        return getattr(given, "buffer", given).write
    return lambda data: _write_all(lambda part: os.write(number, part), data)


def _write_all(write, data):
    while data:
        data = data[write(data) :]


def system(command):
    """Runs a command and returns its status as ``os.wait`` shows it."""
    return _status(Popen(os.fsdecode(command), shell=True).wait())


def _status(code):
    return code << 8 if code >= 0 else -code


def kill(pid, sig, /):
    """Sends a signal to a process that this plugin has started, or to itself."""
    if pid in (0, os.getpid()):
        if sig:
            import signal

            signal.raise_signal(sig)
        return
    if not hub.signal(pid, int(sig)):
        raise ProcessLookupError(errno.ESRCH, "No process of this plugin has this number")


def waitpid(pid, options, /):
    """Waits for a process that this plugin has started with ``subprocess``."""
    if pid not in _children:
        raise ChildProcessError(errno.ECHILD, "No process of this plugin has this number")
    code = hub.wait(pid, 0 if options & WNOHANG else None)
    if code is None:
        return 0, 0
    del _children[pid]
    return pid, _status(code)


def getpgid(pid, /):
    """Every process leads a group of its own."""
    return pid


def setsid():
    """For ``preexec_fn``: a process has a group of its own in any case."""
    raise PermissionError(errno.EPERM, "a plugin has no session; pass os.setsid as preexec_fn")


def setpgrp():
    """For ``preexec_fn``: a process has a group of its own in any case."""
    raise PermissionError(errno.EPERM, "a plugin has no group; pass os.setpgrp as preexec_fn")


def waitstatus_to_exitcode(status):
    """The return code for a status of ``waitpid``."""
    return status >> 8 if not status & 0x7F else -(status & 0x7F)


def _refused(name):
    def refused(*args, **kwargs):
        raise OSError(
            errno.ENOSYS,
            "os.%s is not available: a plugin is no process of its own; use subprocess with"
            " a grant `exec` for the program" % name,
        )

    refused.__name__ = refused.__qualname__ = name
    return refused


_REFUSED = (
    "fork",
    "forkpty",
    "posix_spawn",
    "posix_spawnp",
    "execl",
    "execle",
    "execlp",
    "execlpe",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "spawnl",
    "spawnle",
    "spawnlp",
    "spawnlpe",
    "spawnv",
    "spawnve",
    "spawnvp",
    "spawnvpe",
)


def _which(original):
    def which(cmd, mode=os.F_OK | os.X_OK, path=None):
        found = original(cmd, mode, path)
        if found is None:
            found = hub.find(os.fsdecode(cmd))
        return found

    which.__doc__ = original.__doc__
    return which


def install():
    """Puts the functions into ``subprocess``, ``os`` and ``shutil``."""
    subprocess.Popen = Popen
    subprocess._can_fork_exec = True
    os.system = system
    os.kill = os.killpg = kill
    os.waitpid = waitpid
    os.waitstatus_to_exitcode = waitstatus_to_exitcode
    os.getpgid = getpgid
    os.setsid = setsid
    os.setpgrp = setpgrp
    os.WNOHANG = WNOHANG
    os.WIFEXITED = lambda status: not status & 0x7F
    os.WEXITSTATUS = lambda status: status >> 8 & 0xFF
    os.WIFSIGNALED = lambda status: bool(status & 0x7F)
    os.WTERMSIG = lambda status: status & 0x7F
    # No process of the hub's is ever stopped or leaves a core file.
    os.WIFSTOPPED = os.WIFCONTINUED = os.WCOREDUMP = lambda status: False
    os.WSTOPSIG = lambda status: 0
    for name in _REFUSED:
        setattr(os, name, _refused(name))
    shutil.which = _which(shutil.which)


Popen.__module__ = "subprocess"
