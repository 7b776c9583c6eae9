"""Ends when every server of WAIT_FOR takes connections."""

import os
import socket
import time

for server in os.environ["WAIT_FOR"].split():
    host, _, port = server.rpartition(":")
    said = False
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=2).close()
            break
        except OSError as error:
            if not said:
                print(f"waiting for {server}: {error}", flush=True)
            said = True
            time.sleep(0.5)
