"""Keeps a server from outliving the process that started it.

    python -I -S leash.py --signal SIGINT --grace 20 -- command arguments…

Standard input is the lifeline, a pipe whose other end only the owner holds. When
it ends, because the owner let go or died in whatever way, the server gets the
stop signal and, after `grace` seconds, SIGKILL. Any byte on it asks for SIGKILL
at once. Standard output gets one line: the server's process id, or minus the
errno if it could not be started. Standard error is the server's log.

The exit code is the server's own, or 128 + signal. A script of the standard
library's lightest modules, since one of it stays in memory beside each server:
it must never import anything of the platform.
"""

import os
import select
import signal
import sys
import time

LIFELINE = 0
# What an interpreter or a shell's `&` may have set to "ignored" must not reach the server.
RESET = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD)


def main(arguments: list[str]) -> int:
    """Runs the command until it ends, by itself or because the lifeline did."""
    if len(arguments) < 6 or (arguments[0], arguments[2], arguments[4]) != ("--signal", "--grace", "--"):
        sys.exit("usage: leash.py --signal SIGNAL --grace SECONDS -- command arguments…")
    stop_signal, grace, command = signal.Signals[arguments[1]], float(arguments[3]), arguments[5:]
    child_ended = _child_ended()
    try:
        child = _spawn(command)
    except OSError as error:
        _report(-(error.errno or 1))
        return 127
    _report(child)
    return _hold(child, child_ended, stop_signal, grace)


def _child_ended() -> int:
    """A descriptor that becomes readable when the child ends; the signals that end a session are left to the owner.

    Whoever sends SIGTERM to every process at once means the owner, which still
    needs its servers to finish its work; it then lets go of the lifeline.
    """
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    # Handlers, not SIG_IGN: that would be inherited by the server.
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return readable


def _spawn(command: list[str]) -> int:
    """The process id of the command, in a session of its own, so that no terminal's Ctrl-C reaches it."""
    quiet_input = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    output_to_log = (os.POSIX_SPAWN_DUP2, 2, 1)
    return os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[quiet_input, output_to_log],
        setsid=True,
        setsigmask=(),
        setsigdef=RESET,
    )


def _report(number: int) -> None:
    try:
        os.write(1, b"%d\n" % number)
    except OSError:
        return  # The owner has died already; the lifeline says so too.
    os.dup2(2, 1)  # Closes the pipe, so that nobody waits for more.


def _hold(child: int, child_ended: int, stop_signal: signal.Signals, grace: float) -> int:
    """Waits for the child or the lifeline, whichever ends first, and returns the child's exit code."""
    poll = select.poll()
    poll.register(LIFELINE, select.POLLIN)
    poll.register(child_ended, select.POLLIN)
    deadline: float | None = None
    while True:
        left = None if deadline is None else max(deadline - time.monotonic(), 0)
        ready = {descriptor for descriptor, _ in poll.poll(None if left is None else left * 1000)}
        if child_ended in ready:
            os.read(child_ended, 64)
        if (code := _exit_code(child)) is not None:
            return code
        if LIFELINE in ready:
            if _asked_to_kill():
                os.killpg(child, signal.SIGKILL)
            else:
                poll.unregister(LIFELINE)
                deadline = time.monotonic() + grace
                os.kill(child, stop_signal)
                os.kill(child, signal.SIGCONT)  # A paused server would not see the stop signal.
        elif left == 0:
            os.killpg(child, signal.SIGKILL)
            deadline = None


def _exit_code(child: int) -> int | None:
    reaped, status = os.waitpid(child, os.WNOHANG)
    if reaped == 0:
        return None
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _asked_to_kill() -> bool:
    try:
        return os.read(LIFELINE, 64) != b""
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
