/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that looks like an AWS credential or a private key: arguments that hold one are refused and not echoed.  A guess
 * by form alone: AWS access key ids begin with AKIA or ASIA and have 20 capitals and digits, secret access keys are 40
 * characters of base64's alphabet, session tokens are long runs of it (IAM User Guide, "IAM identifiers").
 */
#ifndef SGWARDEN_LOOKALIKE_H
#define SGWARDEN_LOOKALIKE_H

#include <stdbool.h>

bool looks_like_credential(const char *text);

#endif
