"""numpy, with the OpenBLAS that it brings. OPENBLAS_CORETYPE chooses the kernels. The protocol is that of ../protocol.ts."""

import json
import os
import platform
import sys
from time import perf_counter

import numpy as np

FOLDER = os.environ.get("PEERS_DATA", ".")
WARM_UP = 0.2
SLOW = 0.5
F = np.float32


def gemm(transpose_a, transpose_b):
    def prepare(sizes, inputs):
        m, n, k = sizes
        a, b = inputs
        a = a.reshape(k, m).T if transpose_a else a.reshape(m, k)
        b = b.reshape(n, k).T if transpose_b else b.reshape(k, n)
        c = np.empty((m, n), F)
        matmul = np.matmul

        def call():
            matmul(a, b, out=c)

        return call, lambda: [c]

    return prepare


# Each takes sizes and inputs and gives the call and what it leaves.
OPERATIONS = {
    "gemmNN": gemm(False, False),
    "gemmNT": gemm(False, True),
    "gemmTN": gemm(True, False),
}


def blas():
    """The BLAS that numpy was built with and, where it says so, the kernels that it chose."""
    config = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    core = os.environ.get("OPENBLAS_CORETYPE", "best kernels")
    return f"{config['name']} {config['version']}, {core}"


def timed(call, calls):
    begin = perf_counter()
    for _ in range(calls):
        call()
    return (perf_counter() - begin) / calls


def warm_up(call):
    seconds = timed(call, 1)
    spent = 0 if seconds < SLOW else WARM_UP
    while spent < WARM_UP:
        calls = max(1, int(WARM_UP / 8 / seconds))
        seconds = timed(call, calls)
        spent += seconds * calls
    return seconds


def prepare(operation, sizes, lengths):
    def numbers(text):
        return [int(word) for word in text.split(",") if word]

    if operation not in OPERATIONS:
        return None, f"skip does not offer {operation}"
    every = np.fromfile(os.path.join(FOLDER, "inputs"), F)
    inputs = np.split(every, np.cumsum(numbers(lengths))[:-1])
    call, results = OPERATIONS[operation](numbers(sizes), [array.copy() for array in inputs])
    call()
    np.concatenate([np.ravel(array) for array in results()]).astype(F).tofile(os.path.join(FOLDER, "outputs"))
    return call, f"ready {warm_up(call)}"


def main():
    replies = os.fdopen(3, "w", buffering=1)
    identity = {"version": f"numpy {np.__version__}, {blas()}", "engine": f"Python {platform.python_version()}"}
    print("hello", json.dumps(identity), file=replies)
    call = None
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "prepare":
                call = None
                call, reply = prepare(*words[1:])
            else:
                calls = int(words[1])
                if calls > 1:  # the peers before have filled the caches with theirs
                    timed(call, -(-calls // 5))
                reply = f"seconds {timed(call, calls)}"
        except Exception as error:
            reply = f"error {error!r}".replace("\n", " ")
        print(reply, file=replies)


main()
