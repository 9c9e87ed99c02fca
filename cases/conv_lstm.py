"""LSTM on images: states are stacks of feature maps, and every matrix product is a convolution.

Shi et al. (2015), "Convolutional LSTM network: a machine learning approach for precipitation
nowcasting", arXiv:1506.04214, with its peepholes.
B sequences of radar maps: images of 3 rows and 4 columns, 1 channel of input, 2 of state (small,
because every entry is differentiated by itself; the code takes any size). W_x (on x) and W_h (on
h_prev) are 3 by 3 kernels, output channel first, stride 1, zeros around the border so that the
image keeps its size. As in all frameworks the kernel is not flipped:
    out[y, x] = sum over r, s of W[r, s] * image[y + r - 1, x + s - 1].
Output channels are stacked i, f, g, o (input, forget, candidate, output), and so is b, one number
for each channel. W_ci, W_cf, W_co are the peepholes, one weight for each channel AND pixel: the
input and forget gates see c_prev, the output gate the new c. No forget bias; h and c are carried.
Classic slip: db not summed over the pixels, or the peepholes' gradients summed over them.
"""

import numpy as np


def conv_lstm(
    x: "B 1 3 4",
    h_prev: "B 2 3 4",
    c_prev: "B 2 3 4",
    W_x: "4*2 1 3 3",
    W_h: "4*2 2 3 3",
    W_ci: "2 3 4",
    W_cf: "2 3 4",
    W_co: "2 3 4",
    b: "4*2",
):
    a = convolve(x, W_x) + convolve(h_prev, W_h) + b[:, None, None]
    ai, af, ag, ao = np.split(a, 4, axis=1)
    i = sigmoid(ai + W_ci * c_prev)
    f = sigmoid(af + W_cf * c_prev)
    g = np.tanh(ag)
    c = f * c_prev + i * g
    o = sigmoid(ao + W_co * c)
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dao = do * o * (1 - o)  # first of all gates, because the output gate has looked at c
        dc = dc + dh * o * (1 - np.tanh(c) ** 2) + dao * W_co
        di = dc * g
        df = dc * c_prev
        dg = dc * i

        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dag = dg * (1 - g**2)
        dc_prev = dc * f + dai * W_ci + daf * W_cf

        dW_ci = (dai * c_prev).sum(axis=0)  # over the batch alone: each pixel has its own weight
        dW_cf = (daf * c_prev).sum(axis=0)
        dW_co = (dao * c).sum(axis=0)

        da = np.concatenate([dai, daf, dag, dao], axis=1)
        db = da.sum(axis=(0, 2, 3))
        dx, dW_x = convolve_backward(da, x, W_x)
        dh_prev, dW_h = convolve_backward(da, h_prev, W_h)
        return dx, dh_prev, dc_prev, dW_x, dW_h, dW_ci, dW_cf, dW_co, db

    return (h, c), backward


def convolve(image, W):
    Y, X = image.shape[2:]
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = 0
    for r in range(3):
        for s in range(3):
            out = out + np.einsum(
                "bdyx,kd->bkyx", padded[:, :, r : r + Y, s : s + X], W[:, :, r, s]
            )
    return out


def convolve_backward(dout, image, W):
    Y, X = image.shape[2:]
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dpadded, dW = np.zeros_like(padded), np.zeros_like(W)
    for r in range(3):
        for s in range(3):
            # What the kernel's entry r, s read from there forward, it gives back to there.
            dpadded[:, :, r : r + Y, s : s + X] += np.einsum("bkyx,kd->bdyx", dout, W[:, :, r, s])
            seen = padded[:, :, r : r + Y, s : s + X]
            dW[:, :, r, s] = np.einsum("bkyx,bdyx->kd", dout, seen)
    return dpadded[:, :, 1:-1, 1:-1], dW  # the border was not there


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
