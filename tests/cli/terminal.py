"""Runs a command on a pseudo-terminal: columns, rows, the command. Its standard input is typed; what the terminal gets is printed as it comes."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

columns, rows = int(sys.argv[1]), int(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvpe(sys.argv[3], sys.argv[3:], os.environ)

typed = sys.stdin.fileno()
sources = [terminal, typed]
while True:
    ready, _, _ = select.select(sources, [], [])
    if typed in ready:
        data = os.read(typed, 4096)
        if data:
            os.write(terminal, data)
        else:
            sources.remove(typed)
    if terminal in ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
