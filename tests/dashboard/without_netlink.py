"""Starts a program that cannot see the network of the machine change: `without_netlink.py PROGRAM ARGUMENTS…`.

Chromium breaks off whatever it loads when an address comes or goes (net::ERR_NETWORK_CHANGED), from 127.0.0.1 too. Pods
of the end-to-end tests, which run beside the browser, bring and take addresses all the time. Without a netlink socket,
by which the kernel tells of that, Chromium takes the network for unchanging.

It imports nothing of ours, so it starts as fast as an interpreter does.
"""

import ctypes
import os
import platform
import struct
import sys

SOCKET = {"x86_64": 41, "aarch64": 198}
"""The system call, by architecture."""

_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2
_AF_NETLINK, _EAFNOSUPPORT = 16, 97
_LOAD, _EQUAL, _GIVE = 0x20, 0x15, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000


def refuse_netlink() -> None:
    """Refuses sockets of netlink from now on, in this process and all that it starts, if the kernel can."""
    if platform.machine() not in SOCKET:
        return
    steps = [
        (_LOAD, 0, 0, 0),  # the number of the call
        (_EQUAL, 0, 3, SOCKET[platform.machine()]),
        (_LOAD, 0, 0, 16),  # its first argument
        (_EQUAL, 0, 1, _AF_NETLINK),
        (_GIVE, 0, 0, _ERROR | _EAFNOSUPPORT),
        (_GIVE, 0, 0, _ALLOW),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    libc = ctypes.CDLL(None)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_SECCOMP, _FILTER, struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)), 0, 0)


if __name__ == "__main__":
    refuse_netlink()
    os.execv(sys.argv[1], sys.argv[1:])
