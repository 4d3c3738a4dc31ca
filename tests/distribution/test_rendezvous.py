"""Workers exchange messages, and a missing worker is named."""

import contextlib
import socket
import threading

from kerashw.distribution import rendezvous
from kerashw.errors import InputError, WorkerError
from tests.ports import free_ports


def all_gather(messages, ports, timeout=30, hosts=("127.0.0.1",) * 3):
    """Run workers in threads; return the messages that each worker received, or its error."""
    addresses = [f"{host}:{port}" for host, port in zip(hosts, ports, strict=False)]
    found = {}

    def work(index):
        try:
            found[index] = rendezvous.all_gather(addresses, index, messages[index], timeout)
        except Exception as error:
            found[index] = error

    threads = [threading.Thread(target=work, args=(index,)) for index in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[index] for index in sorted(messages)]


def test_every_worker_gets_the_messages_of_all():
    messages = {index: {"number": index} for index in range(3)}
    ports = free_ports(3)
    # Twice, because the ports must be free again after the first time.
    for _ in range(2):
        assert all_gather(messages, ports) == [list(messages.values())] * 3


def test_a_missing_worker_is_named():
    ports = free_ports(3)
    for error in all_gather({0: {}, 2: {}}, ports, timeout=1):
        assert isinstance(error, WorkerError)
        assert f"in vain for worker 2 (127.0.0.1:{ports[1]})." in str(error)


def test_workers_wait_for_names_that_appear_later(monkeypatch):
    looked_up, look_up = [], socket.getaddrinfo

    def look_up_later(host, *arguments, **settings):
        looked_up.append(host)
        # The second worker connects to the first one long before the first one has its name.
        if host == "first" and looked_up.count("first") > 5:
            return look_up("127.0.0.1", *arguments, **settings)
        if host == "second":
            return look_up("127.0.0.1", *arguments, **settings)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up_later)
    messages = {0: {"number": 0}, 1: {"number": 1}}
    hosts = ["first", "second"]
    assert all_gather(messages, free_ports(2), hosts=hosts) == [list(messages.values())] * 2
    assert looked_up.count("first") > 5


def test_a_name_that_does_not_appear_is_named():
    ports = free_ports(2)
    for host in ("no-such.invalid", "no..name"):  # the second cannot be a name
        for index, name in enumerate(("worker 2", "this worker")):
            (error,) = all_gather({index: {}}, ports, timeout=0, hosts=["127.0.0.1", host])
            assert isinstance(error, WorkerError)
            assert f"{name} ({host}:{ports[1]}, a name that is not known)." in str(error)


def test_another_program_on_the_port_of_a_worker_is_ignored():
    own, other = free_ports(2)
    with socket.create_server(("127.0.0.1", other)) as listener:

        def answer():
            with contextlib.suppress(OSError):  # after the end of the test
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(b'HTTP/1.1 200 OK\n{"worker": 1}\n')

        threading.Thread(target=answer, daemon=True).start()
        (error,) = all_gather({0: {}}, [own, other], timeout=1)
    assert isinstance(error, WorkerError)


def test_a_port_in_use_is_reported():
    with socket.create_server(("", 0)) as listener:
        (error,) = all_gather({0: {}}, [listener.getsockname()[1], *free_ports(1)])
    assert isinstance(error, InputError)
    assert "cannot listen on port" in str(error)
