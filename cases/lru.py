"""The linear recurrent unit: a diagonal complex recurrence, written out in its two real parts.

Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences", ICML,
arXiv:2303.06349. S sequences, H inputs and as many outputs, N complex states x.
lambda = exp(-exp(nu_log) + i exp(theta_log)), x = lambda x_prev + exp(gamma_log) (B u) and
y = Re(C x) + D u, D elementwise; B = B_re + i B_im and so on, the rows of B being states and those
of C outputs. gamma_log is a parameter of its own, not tied to lambda. No factor 2 on the real part.
Derivatives by the two parts make one complex number, dx = dx_re + i dx_im. In that sense the
gradient of x = lambda x_prev is dx_prev = conj(lambda) dx and dlambda = dx conj(x_prev).
Classic slip: a conjugate forgotten, which shows only where lambda is not real.
"""

import numpy as np


def lru(
    u: "S H",
    x_re_prev: "S N",
    x_im_prev: "S N",
    nu_log: "N in (-3, 1)",
    theta_log: "N in (-3, 1)",
    gamma_log: "N",
    B_re: "N H",
    B_im: "N H",
    C_re: "H N",
    C_im: "H N",
    D: "H",
):
    radius = np.exp(-np.exp(nu_log))
    phase = np.exp(theta_log)
    gamma = np.exp(gamma_log)
    cos, sin = np.cos(phase), np.sin(phase)
    lam_re, lam_im = radius * cos, radius * sin
    Bu_re, Bu_im = u @ B_re.T, u @ B_im.T
    x_re = lam_re * x_re_prev - lam_im * x_im_prev + gamma * Bu_re
    x_im = lam_im * x_re_prev + lam_re * x_im_prev + gamma * Bu_im
    y = x_re @ C_re.T - x_im @ C_im.T + D * u

    def backward(dy, dx_re, dx_im):
        dx_re = dx_re + dy @ C_re
        dx_im = dx_im - dy @ C_im  # dx = conj(C)' dy
        dC_re = dy.T @ x_re
        dC_im = -dy.T @ x_im  # dC = dy conj(x)'
        dD = (dy * u).sum(axis=0)

        dx_re_prev = lam_re * dx_re + lam_im * dx_im  # dx_prev = conj(lambda) dx
        dx_im_prev = lam_re * dx_im - lam_im * dx_re
        dlam_re = (dx_re * x_re_prev + dx_im * x_im_prev).sum(axis=0)  # dlambda = dx conj(x_prev)
        dlam_im = (dx_im * x_re_prev - dx_re * x_im_prev).sum(axis=0)
        dradius = dlam_re * cos + dlam_im * sin
        dphase = radius * (dlam_im * cos - dlam_re * sin)
        dnu_log = -dradius * radius * np.exp(nu_log)
        dtheta_log = dphase * phase

        dgamma = (dx_re * Bu_re + dx_im * Bu_im).sum(axis=0)
        dgamma_log = dgamma * gamma
        dBu_re, dBu_im = gamma * dx_re, gamma * dx_im
        dB_re, dB_im = dBu_re.T @ u, dBu_im.T @ u
        du = dBu_re @ B_re + dBu_im @ B_im + dy * D
        return (
            du,
            dx_re_prev,
            dx_im_prev,
            dnu_log,
            dtheta_log,
            dgamma_log,
            dB_re,
            dB_im,
            dC_re,
            dC_im,
            dD,
        )

    return (y, x_re, x_im), backward
