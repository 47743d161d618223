/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NMIBT_ARCH_BY_LINE_H
#define NMIBT_ARCH_BY_LINE_H

#include "base/base.h"

/* The architecture whose kernels alone print such a line. UNKNOWN: the line does not tell. */
enum nmibt_arch nmibt_arch_by_line(struct nmibt_str line);

#endif /* NMIBT_ARCH_BY_LINE_H */
