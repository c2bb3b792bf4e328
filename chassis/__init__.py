"""What every service stands on. Each module is named for the one thing that it does.

The chassis knows no service. It carries the rules of the institutions as data and judges by none of them.
"""

import os

# gRPC reads it when it is loaded. No process of ours forks without an exec, and the handlers only write to the log.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
