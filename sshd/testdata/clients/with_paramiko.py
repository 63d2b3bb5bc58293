# address: argv; password and code: standard input
import sys
import paramiko

host, port, user = sys.argv[1:4]
password, code = sys.stdin.read().split("\n")[:2]


def answers(title, instructions, prompts):
    return [code if "Verification code" in prompt else password for prompt, echo in prompts]


transport = paramiko.Transport((host, int(port)))
transport.start_client(timeout=30)
transport.auth_interactive(user, answers)
channel = transport.open_session()
channel.exec_command("id -un")
print(channel.makefile().read().decode(), end="")
transport.close()
