"""Logs in by imap or ftp and says "let in", or what the server says. The password with its code is
read from standard input."""

import ftplib
import imaplib
import sys

protocol, port, user = sys.argv[1:]
typed = sys.stdin.read()
try:
    if protocol == "imap":
        imaplib.IMAP4("127.0.0.1", int(port)).login(user, typed)
    else:
        server = ftplib.FTP(timeout=60)
        server.connect("127.0.0.1", int(port))
        server.login(user, typed)
    print("let in")
except (imaplib.IMAP4.error, ftplib.error_perm) as refusal:
    print(refusal)
