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
# As in tests/reference/trainingStep.ts and ../cases.ts.
LAYERS = ((784, 256), (256, 256), (256, 10))
LEARNING_RATE = 0.1
EPS = F(1e-5)
CHECKED_STEPS = 3


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


def unary(f):
    def prepare(sizes, inputs):
        (x,) = inputs
        y = np.empty_like(x)
        return lambda: f(x, out=y), lambda: [y]

    return prepare


def relu(sizes, inputs):
    (x,) = inputs
    y, zero = np.empty_like(x), F(0)
    return lambda: np.maximum(x, zero, out=y), lambda: [y]


def relu_backward(sizes, inputs):
    x, dy = inputs
    dx, mask, zero = np.empty_like(x), np.empty(x.shape, bool), F(0)

    def call():
        np.greater(x, zero, out=mask)
        np.multiply(dy, mask, out=dx)

    return call, lambda: [dx]


def tanh_backward(sizes, inputs):
    y, dy = inputs
    dx, one = np.empty_like(y), F(1)

    def call():
        np.multiply(y, y, out=dx)
        np.subtract(one, dx, out=dx)
        np.multiply(dx, dy, out=dx)

    return call, lambda: [dx]


class BatchNorm:
    """Batch norm over the rows of x, in buffers of its own."""

    def __init__(self, rows, columns, gamma, beta):
        self.gamma, self.beta = gamma, beta
        self.d_gamma, self.d_beta = np.empty(columns, F), np.empty(columns, F)
        self.x_hat, self.y, self.dx = (np.empty((rows, columns), F) for _ in range(3))
        self.ones, self.share = np.ones(rows, F), F(1 / rows)

    def sum_rows(self, x, out):
        """A product with ones: BLAS adds rows up faster than np.sum."""
        return np.matmul(self.ones, x, out=out)

    def forward(self, x):
        x_hat, y = self.x_hat, self.y
        np.subtract(x, self.sum_rows(x, self.d_beta) * self.share, out=x_hat)
        np.multiply(x_hat, x_hat, out=y)
        variance = self.sum_rows(y, self.d_gamma) * self.share
        self.inverse = F(1) / np.sqrt(variance + EPS)
        x_hat *= self.inverse
        np.multiply(x_hat, self.gamma, out=y)
        y += self.beta
        return y

    def backward(self, dy):
        """dy is overwritten."""
        x_hat, dx = self.x_hat, self.dx
        self.sum_rows(dy, self.d_beta)
        np.multiply(dy, x_hat, out=dx)
        self.sum_rows(dx, self.d_gamma)
        np.multiply(x_hat, self.d_gamma * self.share, out=dx)
        dx += self.d_beta * self.share
        np.subtract(dy, dx, out=dx)
        dx *= self.gamma * self.inverse
        return dx


def batch_norm(training):
    def prepare(sizes, inputs):
        x, gamma, beta = inputs[:3]
        x = x.reshape(sizes)
        norm = BatchNorm(*sizes, gamma, beta)
        if not training:
            return lambda: norm.forward(x), lambda: [norm.y]
        dy = inputs[3].reshape(sizes)

        def call():
            norm.forward(x)
            norm.backward(dy)

        return call, lambda: [norm.dx, norm.d_gamma, norm.d_beta]

    return prepare


def step(sizes, inputs):
    """A training step of the MLP of ../../../tests/reference/trainingStep.ts; weights are inFeatures × outFeatures."""
    (batch,) = sizes
    last = len(LAYERS) - 1
    x, one_hot = inputs[0].reshape(batch, -1), inputs[1].reshape(batch, -1)
    layers = []
    for index, (n_in, n_out) in enumerate(LAYERS):
        w, b, *affine = inputs[2 + 4 * index : 6 + 4 * index]
        layer = {"W": np.ascontiguousarray(w.reshape(n_out, n_in).T), "b": b, "dW": np.empty((n_in, n_out), F)}
        layer["h"], layer["dx"] = np.empty((batch, n_out), F), np.empty((batch, n_in), F)
        if affine:
            layer["norm"], layer["mask"] = BatchNorm(batch, n_out, *affine), np.empty((batch, n_out), bool)
        layers.append(layer)
    ones, rate, zero = np.ones(batch, F), F(LEARNING_RATE), F(0)
    losses = []

    def call():
        activation = x
        for layer in layers:
            layer["x"] = activation
            activation = np.matmul(activation, layer["W"], out=layer["h"])
            activation += layer["b"]
            if "norm" in layer:
                activation = layer["norm"].forward(activation)
                np.greater(activation, zero, out=layer["mask"])
                np.maximum(activation, zero, out=activation)
        logits = activation
        logits -= logits.max(1, keepdims=True)
        exponentials = np.exp(logits)
        sums = exponentials.sum(1, keepdims=True)
        losses.append(np.mean(np.log(sums[:, 0]) - (logits * one_hot).sum(1)))
        gradient = (exponentials / sums - one_hot) / F(batch)
        for index in range(last, -1, -1):
            layer = layers[index]
            if "norm" in layer:
                norm = layer["norm"]
                gradient *= layer["mask"]
                gradient = norm.backward(gradient)
            np.matmul(layer["x"].T, gradient, out=layer["dW"])
            layer["b"] -= rate * np.matmul(ones, gradient)
            below = np.matmul(gradient, layer["W"].T, out=layer["dx"]) if index > 0 else None
            layer["dW"] *= rate
            layer["W"] -= layer["dW"]
            if "norm" in layer:
                norm.gamma -= rate * norm.d_gamma
                norm.beta -= rate * norm.d_beta
            gradient = below

    def results():
        while len(losses) < CHECKED_STEPS:
            call()
        return [np.array(losses[:CHECKED_STEPS], F)]

    return call, results


# Each takes sizes and inputs and gives the call and what it leaves.
OPERATIONS = {
    "gemmNN": gemm(False, False),
    "gemmNT": gemm(False, True),
    "gemmTN": gemm(True, False),
    "relu": relu,
    "reluBackward": relu_backward,
    "tanh": unary(np.tanh),
    "tanhBackward": tanh_backward,
    "exp": unary(np.exp),
    "log": unary(np.log),
    "batchNormForward": batch_norm(False),
    "batchNormTraining": batch_norm(True),
    "step": step,
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
