/* SPDX-License-Identifier: Apache-2.0 */
/* What the test program runs beside faults. */
#ifndef TESTS_SANDBOX_FAULTS_H
#define TESTS_SANDBOX_FAULTS_H

#include "prove/probe.h"

void suite_unit(const struct setting *s);

#endif
