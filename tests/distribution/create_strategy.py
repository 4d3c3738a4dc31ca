"""Create the strategy of `TF_CONFIG` without a rendezvous.

`python -m tests.distribution.create_strategy SECONDS` has a time limit for the connection.
"""

import sys

from kerashw.distribution import choose_strategy

if __name__ == "__main__":
    choose_strategy("multiworker").create_strategy(timeout=float(sys.argv[1]))
