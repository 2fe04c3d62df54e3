"""Processes of the hub as ``subprocess`` shows them.

Owns the ``Popen`` that CPython's own ``subprocess`` module works with here. ``install`` runs
before the snapshot. The hub decides which programs there are (grant ``exec``), and bounds their
number, time and output.
"""

import io
import os
import subprocess
import threading

import _cordon_children as children
import _cordon_command as commands
import _cordon_processes as hub

from _cordon_children import SIGKILL, SIGTERM
from _cordon_command import PIPE
from _cordon_pipe import CHUNK, INPUT, STDERR, STDOUT, Lease, Pipe, sink, source


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
        program, words, stdout, stderr = commands.command(args, shell, executable, stdout, stderr)
        ends = (
            commands.leads(stdin),
            commands.leads(stdout),
            commands.leads(stderr, commands.leads(stdout)),
        )
        self.pid = commands.spawn(program, words, env, cwd, ends)
        self._child_created = True
        self._lease = Lease(self.pid)
        self._open(stdin, stdout, stderr, ends, bufsize)

    def _open(self, stdin, stdout, stderr, ends, bufsize):
        """Makes the files that the plugin works with, and serves those that it gave."""
        lease = self._lease
        # The threads that still serve the plugin's own files.
        self._copying = []
        if ends[INPUT] == PIPE:
            if stdin == subprocess.PIPE:
                self.stdin = self._file(Pipe(lease, INPUT), bufsize)
            else:
                self._copy(source(stdin), Pipe(lease, INPUT))
        for stream, given, leads in (
            (STDOUT, stdout, ends[STDOUT]),
            (STDERR, stderr, ends[STDERR]),
        ):
            if leads != PIPE:
                continue
            pipe = Pipe(lease, stream)
            if given == subprocess.PIPE:
                file = self._file(pipe, bufsize)
                if stream == STDOUT:
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
        write = sink(to)

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
            children.codes.pop(self.pid, None)

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
    if preexec_fn is not None and preexec_fn not in (children.setsid, children.setpgrp):
        raise ValueError("preexec_fn is not supported: the hub starts the program, not Python")
    if pass_fds:
        raise ValueError("pass_fds is not supported: processes get no descriptors of a plugin")
    if user is not None or group is not None or extra_groups is not None:
        raise ValueError("another user or group is not supported: programs run as the hub does")
    if startupinfo is not None or creationflags:
        raise ValueError("startupinfo and creationflags are only supported on Windows platforms")


def system(command):
    """Runs a command and returns its status as ``os.wait`` shows it."""
    return children.status(Popen(os.fsdecode(command), shell=True).wait())


def install():
    """Puts ``Popen`` into ``subprocess`` and the functions into ``os`` and ``shutil``."""
    subprocess.Popen = Popen
    subprocess._can_fork_exec = True
    os.system = system
    children.install()


Popen.__module__ = "subprocess"
