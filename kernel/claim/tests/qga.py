#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qga.py SOCKET COMMAND: has qemu's guest agent do it and prints what it returns, or its error."""

import json
import socket
import sys


def main():
    agent = socket.socket(socket.AF_UNIX)
    agent.settimeout(120)
    agent.connect(sys.argv[1])
    agent.sendall(json.dumps({"execute": sys.argv[2]}).encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        piece = agent.recv(4096)
        if not piece:
            break
        answer += piece
    answer = json.loads(answer)
    if "error" in answer:
        print(answer["error"]["desc"])
        sys.exit(1)
    print(answer["return"])


main()
