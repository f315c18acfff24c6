import os
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: (os.write(1, f"worker {sys.argv[1]} leaves\n".encode()), sys.exit(0)))
os.write(1, f"worker {sys.argv[1]} is here\n".encode())
while True:
    time.sleep(1)
