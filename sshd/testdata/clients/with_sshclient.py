# address: argv; password: standard input
import sys

import paramiko

host, port, user = sys.argv[1:4]
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
client.connect(host, int(port), user, sys.stdin.readline().rstrip("\n"), look_for_keys=False,
               allow_agent=False)
_, output, _ = client.exec_command("id -un")
print(output.read().decode(), end="")
client.close()
