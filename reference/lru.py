"""The linear recurrent unit from the equations of Orvieto et al. (2023), in complex numbers."""

import torch


def lru(u, x_re_prev, x_im_prev, nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D):
    eigenvalue = torch.exp(torch.complex(-nu_log.exp(), theta_log.exp()))
    B, C = torch.complex(B_re, B_im), torch.complex(C_re, C_im)
    driven = gamma_log.exp() * (u.to(B.dtype) @ B.T)
    x = eigenvalue * torch.complex(x_re_prev, x_im_prev) + driven
    return (x @ C.T).real + D * u, x.real, x.imag
