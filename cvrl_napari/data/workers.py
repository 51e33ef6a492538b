"""Threads that work beside the training without taking its processors."""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch


def quiet_threads(count: int, *, name: str) -> ThreadPoolExecutor:
    """Return threads in each of which torch computes on one thread, however many it computes on in this one.

    A Python thread has as many OpenMP threads of its own as the one that set their number, and these keep cores busy while
    they wait.
    """
    torch_threads = torch.get_num_threads()
    ready = threading.Barrier(count + 1)

    def begin() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # only at the first question does this thread take its number over
        ready.wait()

    threads = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=begin)
    for _ in range(count):
        threads.submit(int)  # starts a thread, as none has come back yet
    ready.wait()
    torch.set_num_threads(torch_threads)  # that of threads to come, and of matrix products, is one for the whole process
    return threads
