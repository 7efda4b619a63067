/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's ways to say that a request was signed for another time than its own. */
#ifndef SGWARDEN_EXPIRED_H
#define SGWARDEN_EXPIRED_H

#include <stdbool.h>

/*
 * EC2 has codes of its own for it (EC2 API Reference, "Error codes"); STS calls it a wrong signature, and only the
 * message's first words tell it from one that is ("Troubleshoot Signature Version 4 signing for AWS API requests").
 */
bool says_expired(const char *code, const char *message);

#endif
