"""Makes established TCP connections lose everything that arrives at the named ends, for ever.

    blackhole.py <pid> <local port> <remote port> [<pid> <local port> <remote port> …]

Neither end is told: there is no FIN, no RST, and no address translation. A firewall that has forgotten a connection
leaves it in this state. The socket is borrowed from its process (pidfd_getfd, Linux 5.6, root) and gets a packet
filter that lets nothing through (SO_ATTACH_FILTER).
"""

import ctypes
import os
import socket
import struct
import sys

SYS_PIDFD_GETFD = 438  # the same number on x86-64 and arm64
SO_ATTACH_FILTER = 26
BPF_RET_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)

libc = ctypes.CDLL(None, use_errno=True)


def connection(pid, ports):
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            is_socket = os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:
            continue
        if not is_socket:
            continue
        borrowed = borrow(pid, int(fd))
        sock = socket.socket(fileno=borrowed)
        if ports_of(sock) == ports:
            return sock
        sock.close()
    raise SystemExit(f"process {pid} has no connection with local and remote port {ports}")


def ports_of(sock):
    if sock.family != socket.AF_INET:
        return None
    try:
        return sock.getsockname()[1], sock.getpeername()[1]
    except OSError:
        return None


def borrow(pid, fd):
    found = libc.syscall(SYS_PIDFD_GETFD, os.pidfd_open(pid), fd, 0)
    if found < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return found


def swallow(sock):
    program = ctypes.create_string_buffer(BPF_RET_NOTHING)
    sock.setsockopt(
        socket.SOL_SOCKET,
        SO_ATTACH_FILTER,
        struct.pack("HxxxxxxP", 1, ctypes.addressof(program)),
    )


arguments = [int(word) for word in sys.argv[1:]]
for pid, *ports in zip(arguments[::3], arguments[1::3], arguments[2::3]):
    swallow(connection(pid, tuple(ports)))
