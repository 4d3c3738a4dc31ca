"""A worker that TensorFlow cannot connect ends the process."""

import pytest

from tests.distribution.clusters import config
from tests.distribution.worker_processes import start, wait_for
from tests.ports import free_ports

MODULE = "tests.distribution.create_strategy"


@pytest.mark.slow
def test_a_worker_lost_after_the_rendezvous_ends_the_process_in_time():
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    environment = {"TF_CONFIG": config({"worker": addresses}, type="worker", index=0)}
    ((_, errors),) = wait_for([start(MODULE, [3], **environment)], [1])
    assert "Traceback" not in errors
