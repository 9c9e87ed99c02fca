"""The LSTM with peepholes, and the eight variants of it that a large study compared.

Greff, Srivastava, Koutnik, Steunebrink and Schmidhuber (2015), "LSTM: a search space odyssey",
arXiv:1503.04069. Names are the paper's: z is the block input (the candidate), i, f, o are the
input, forget and output gates, y is the block output that others call h.
B sequences, D inputs, H units. W acts on x, R on y_prev; rows of W, R and b are stacked z, i, f, o
and those of p i, f, o, without the blocks that a variant does not have. p are the peepholes, which
multiply the cell state unit by unit: i and f see c_prev, o sees the new c. No forget bias. y and c
are carried. With u_k = W_k x + R_k y_prev + b_k, vanilla is

    z = tanh(u_z)
    i = sigmoid(u_i + p_i * c_prev)
    f = sigmoid(u_f + p_f * c_prev)
    c = z * i + c_prev * f
    o = sigmoid(u_o + p_o * c)
    y = tanh(c) * o

and each variant changes one thing; its docstring says what.
Classic slip: a gate that is gone, or an activation that is gone, still sends its slope back.
"""

import numpy as np


def vanilla(x: "B D", y_prev: "B H", c_prev: "B H", W: "4*H D", R: "4*H H", p: "3*H", b: "4*H"):
    """V: nothing is changed."""
    az, ai, af, ao = np.split(x @ W.T + y_prev @ R.T + b, 4, axis=1)
    p_i, p_f, p_o = np.split(p, 3)
    z = np.tanh(az)
    i = sigmoid(ai + p_i * c_prev)
    f = sigmoid(af + p_f * c_prev)
    c = z * i + c_prev * f
    o = sigmoid(ao + p_o * c)
    y = np.tanh(c) * o

    def backward(dy, dc):
        do = dy * np.tanh(c)
        dao = do * o * (1 - o)
        dc = dc + dy * o * (1 - np.tanh(c) ** 2) + dao * p_o  # the output gate has looked at c
        dz = dc * i
        di = dc * z
        df = dc * c_prev

        daz = dz * (1 - z**2)
        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dc_prev = dc * f + dai * p_i + daf * p_f

        dp = np.concatenate(
            [(dai * c_prev).sum(axis=0), (daf * c_prev).sum(axis=0), (dao * c).sum(axis=0)]
        )
        da = np.concatenate([daz, dai, daf, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, dp, db

    return (y, c), backward


def no_input_gate(
    x: "B D", y_prev: "B H", c_prev: "B H", W: "3*H D", R: "3*H H", p: "2*H", b: "3*H"
):
    """NIG: i = 1, so c = z + c_prev * f. Blocks: z, f, o; peepholes: f, o."""
    az, af, ao = np.split(x @ W.T + y_prev @ R.T + b, 3, axis=1)
    p_f, p_o = np.split(p, 2)
    z = np.tanh(az)
    f = sigmoid(af + p_f * c_prev)
    c = z + c_prev * f
    o = sigmoid(ao + p_o * c)
    y = np.tanh(c) * o

    def backward(dy, dc):
        do = dy * np.tanh(c)
        dao = do * o * (1 - o)
        dc = dc + dy * o * (1 - np.tanh(c) ** 2) + dao * p_o
        dz = dc
        df = dc * c_prev

        daz = dz * (1 - z**2)
        daf = df * f * (1 - f)
        dc_prev = dc * f + daf * p_f

        dp = np.concatenate([(daf * c_prev).sum(axis=0), (dao * c).sum(axis=0)])
        da = np.concatenate([daz, daf, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, dp, db

    return (y, c), backward


def no_forget_gate(
    x: "B D", y_prev: "B H", c_prev: "B H", W: "3*H D", R: "3*H H", p: "2*H", b: "3*H"
):
    """NFG: f = 1, so c = z * i + c_prev. Blocks: z, i, o; peepholes: i, o."""
    az, ai, ao = np.split(x @ W.T + y_prev @ R.T + b, 3, axis=1)
    p_i, p_o = np.split(p, 2)
    z = np.tanh(az)
    i = sigmoid(ai + p_i * c_prev)
    c = z * i + c_prev
    o = sigmoid(ao + p_o * c)
    y = np.tanh(c) * o

    def backward(dy, dc):
        do = dy * np.tanh(c)
        dao = do * o * (1 - o)
        dc = dc + dy * o * (1 - np.tanh(c) ** 2) + dao * p_o
        dz = dc * i
        di = dc * z

        daz = dz * (1 - z**2)
        dai = di * i * (1 - i)
        dc_prev = dc + dai * p_i

        dp = np.concatenate([(dai * c_prev).sum(axis=0), (dao * c).sum(axis=0)])
        da = np.concatenate([daz, dai, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, dp, db

    return (y, c), backward


def no_output_gate(
    x: "B D", y_prev: "B H", c_prev: "B H", W: "3*H D", R: "3*H H", p: "2*H", b: "3*H"
):
    """NOG: o = 1, so y = tanh(c). Blocks: z, i, f; peepholes: i, f."""
    az, ai, af = np.split(x @ W.T + y_prev @ R.T + b, 3, axis=1)
    p_i, p_f = np.split(p, 2)
    z = np.tanh(az)
    i = sigmoid(ai + p_i * c_prev)
    f = sigmoid(af + p_f * c_prev)
    c = z * i + c_prev * f
    y = np.tanh(c)

    def backward(dy, dc):
        dc = dc + dy * (1 - np.tanh(c) ** 2)
        dz = dc * i
        di = dc * z
        df = dc * c_prev

        daz = dz * (1 - z**2)
        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dc_prev = dc * f + dai * p_i + daf * p_f

        dp = np.concatenate([(dai * c_prev).sum(axis=0), (daf * c_prev).sum(axis=0)])
        da = np.concatenate([daz, dai, daf], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, dp, db

    return (y, c), backward


def no_input_activation(
    x: "B D", y_prev: "B H", c_prev: "B H", W: "4*H D", R: "4*H H", p: "3*H", b: "4*H"
):
    """NIAF: z = u_z, without a tanh."""
    az, ai, af, ao = np.split(x @ W.T + y_prev @ R.T + b, 4, axis=1)
    p_i, p_f, p_o = np.split(p, 3)
    z = az
    i = sigmoid(ai + p_i * c_prev)
    f = sigmoid(af + p_f * c_prev)
    c = z * i + c_prev * f
    o = sigmoid(ao + p_o * c)
    y = np.tanh(c) * o

    def backward(dy, dc):
        do = dy * np.tanh(c)
        dao = do * o * (1 - o)
        dc = dc + dy * o * (1 - np.tanh(c) ** 2) + dao * p_o
        dz = dc * i
        di = dc * z
        df = dc * c_prev

        daz = dz
        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dc_prev = dc * f + dai * p_i + daf * p_f

        dp = np.concatenate(
            [(dai * c_prev).sum(axis=0), (daf * c_prev).sum(axis=0), (dao * c).sum(axis=0)]
        )
        da = np.concatenate([daz, dai, daf, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, dp, db

    return (y, c), backward


def no_output_activation(
    x: "B D", y_prev: "B H", c_prev: "B H", W: "4*H D", R: "4*H H", p: "3*H", b: "4*H"
):
    """NOAF: y = c * o, without a tanh."""
    az, ai, af, ao = np.split(x @ W.T + y_prev @ R.T + b, 4, axis=1)
    p_i, p_f, p_o = np.split(p, 3)
    z = np.tanh(az)
    i = sigmoid(ai + p_i * c_prev)
    f = sigmoid(af + p_f * c_prev)
    c = z * i + c_prev * f
    o = sigmoid(ao + p_o * c)
    y = c * o

    def backward(dy, dc):
        do = dy * c
        dao = do * o * (1 - o)
        dc = dc + dy * o + dao * p_o
        dz = dc * i
        di = dc * z
        df = dc * c_prev

        daz = dz * (1 - z**2)
        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dc_prev = dc * f + dai * p_i + daf * p_f

        dp = np.concatenate(
            [(dai * c_prev).sum(axis=0), (daf * c_prev).sum(axis=0), (dao * c).sum(axis=0)]
        )
        da = np.concatenate([daz, dai, daf, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, dp, db

    return (y, c), backward


def no_peepholes(x: "B D", y_prev: "B H", c_prev: "B H", W: "4*H D", R: "4*H H", b: "4*H"):
    """NP: p = 0, so no gate sees the cell state."""
    az, ai, af, ao = np.split(x @ W.T + y_prev @ R.T + b, 4, axis=1)
    z = np.tanh(az)
    i = sigmoid(ai)
    f = sigmoid(af)
    c = z * i + c_prev * f
    o = sigmoid(ao)
    y = np.tanh(c) * o

    def backward(dy, dc):
        do = dy * np.tanh(c)
        dao = do * o * (1 - o)
        dc = dc + dy * o * (1 - np.tanh(c) ** 2)
        dz = dc * i
        di = dc * z
        df = dc * c_prev

        daz = dz * (1 - z**2)
        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dc_prev = dc * f

        da = np.concatenate([daz, dai, daf, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, db

    return (y, c), backward


def coupled_gates(
    x: "B D", y_prev: "B H", c_prev: "B H", W: "3*H D", R: "3*H H", p: "2*H", b: "3*H"
):
    """CIFG: f = 1 - i. Blocks: z, i, o; peepholes: i, o."""
    az, ai, ao = np.split(x @ W.T + y_prev @ R.T + b, 3, axis=1)
    p_i, p_o = np.split(p, 2)
    z = np.tanh(az)
    i = sigmoid(ai + p_i * c_prev)
    f = 1 - i
    c = z * i + c_prev * f
    o = sigmoid(ao + p_o * c)
    y = np.tanh(c) * o

    def backward(dy, dc):
        do = dy * np.tanh(c)
        dao = do * o * (1 - o)
        dc = dc + dy * o * (1 - np.tanh(c) ** 2) + dao * p_o
        dz = dc * i
        di = dc * z - dc * c_prev  # f = 1 - i: what f gains, i loses

        daz = dz * (1 - z**2)
        dai = di * i * (1 - i)
        dc_prev = dc * f + dai * p_i

        dp = np.concatenate([(dai * c_prev).sum(axis=0), (dao * c).sum(axis=0)])
        da = np.concatenate([daz, dai, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        return dx, dy_prev, dc_prev, dW, dR, dp, db

    return (y, c), backward


def full_gate_recurrence(
    x: "B D",
    y_prev: "B H",
    c_prev: "B H",
    i_prev: "B H",
    f_prev: "B H",
    o_prev: "B H",
    W: "4*H D",
    R: "4*H H",
    G: "3*H 3*H",
    p: "3*H",
    b: "4*H",
):
    """FGR: each gate also sees all three gates of the step before.

    The pre-activation of gate t (i, f or o) gains the sum over s of R_st times gate s of the step
    before. G holds the nine R_st: rows by the gate t that receives, columns by the gate s that
    sends, both stacked i, f, o. The gates are outputs, and carried like y and c.
    """
    az, ai, af, ao = np.split(x @ W.T + y_prev @ R.T + b, 4, axis=1)
    gates_prev = np.concatenate([i_prev, f_prev, o_prev], axis=1)
    gi, gf, go = np.split(gates_prev @ G.T, 3, axis=1)
    p_i, p_f, p_o = np.split(p, 3)
    z = np.tanh(az)
    i = sigmoid(ai + gi + p_i * c_prev)
    f = sigmoid(af + gf + p_f * c_prev)
    c = z * i + c_prev * f
    o = sigmoid(ao + go + p_o * c)
    y = np.tanh(c) * o

    def backward(dy, dc, di, df, do):
        do = do + dy * np.tanh(c)  # o is read by y, and by the gates of the next step
        dao = do * o * (1 - o)
        dc = dc + dy * o * (1 - np.tanh(c) ** 2) + dao * p_o
        dz = dc * i
        di = di + dc * z
        df = df + dc * c_prev

        daz = dz * (1 - z**2)
        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dc_prev = dc * f + dai * p_i + daf * p_f

        dp = np.concatenate(
            [(dai * c_prev).sum(axis=0), (daf * c_prev).sum(axis=0), (dao * c).sum(axis=0)]
        )
        da = np.concatenate([daz, dai, daf, dao], axis=1)
        dx = da @ W
        dy_prev = da @ R
        dW = da.T @ x
        dR = da.T @ y_prev
        db = da.sum(axis=0)
        dag = np.concatenate([dai, daf, dao], axis=1)  # the block input sees no gate
        dG = dag.T @ gates_prev
        di_prev, df_prev, do_prev = np.split(dag @ G, 3, axis=1)
        return dx, dy_prev, dc_prev, di_prev, df_prev, do_prev, dW, dR, dG, dp, db

    return (y, c, i, f, o), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
