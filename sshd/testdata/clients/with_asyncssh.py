# address: argv; password and code: standard input
import asyncio
import sys

import asyncssh

host, port, user = sys.argv[1:4]
password, code = sys.stdin.read().split("\n")[:2]


class Client(asyncssh.SSHClient):
    def kbdint_auth_requested(self):
        return ""

    def kbdint_challenge_received(self, name, instructions, lang, prompts):
        return [code if "Verification code" in prompt else password for prompt, echo in prompts]


async def main():
    connection, _ = await asyncssh.create_connection(
        Client, host, int(port), username=user, known_hosts=None, client_keys=None,
        preferred_auth="keyboard-interactive")
    async with connection:
        result = await connection.run("id -un", check=True)
        print(result.stdout, end="")

asyncio.run(main())
