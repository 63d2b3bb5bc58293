"""Runs a program for which setting RLIMIT_AS fails with EPERM, which vsftpd takes for a limit that
is lower already. So it runs without its limit where root may not lift one (containers)."""

import ctypes
import os
import platform
import struct
import sys

PRLIMIT64 = {"x86_64": 302, "aarch64": 261}[platform.machine()]
RLIMIT_AS = 9
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, RESOURCE, NEW_LIMIT = 0, 24, 32  # in struct seccomp_data; the low words
ALLOW, EPERM = 0x7FFF0000, 0x00050001

FILTER = [
    (LOAD, 0, 0, NUMBER),
    (EQUAL, 0, 5, PRLIMIT64),
    (LOAD, 0, 0, RESOURCE),
    (EQUAL, 0, 3, RLIMIT_AS),
    (LOAD, 0, 0, NEW_LIMIT),
    (EQUAL, 1, 0, 0),
    (RETURN, 0, 0, EPERM),
    (RETURN, 0, 0, ALLOW),
]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def prctl(*arguments):
    if libc.prctl(*arguments) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


libc = ctypes.CDLL(None, use_errno=True)
code = b"".join(struct.pack("HBBI", *instruction) for instruction in FILTER)
prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
prctl(22, 2, ctypes.byref(Program(len(FILTER), code)))  # PR_SET_SECCOMP
os.execvp(sys.argv[1], sys.argv[1:])
