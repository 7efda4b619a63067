/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel interfaces newer than the oldest headers that we build with (Debian 12: 6.1), each with the version in which
 * it appeared.  A kernel that lacks one answers with an error, and that is a named degradation.
 */
#ifndef SANDBOX_KERNEL_H
#define SANDBOX_KERNEL_H

#include <linux/landlock.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* 6.3, prctl(2): no memory becomes executable that was not mapped so. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#define PR_MDWE_REFUSE_EXEC_GAIN (1UL << 0)
#endif

/* 6.13, madvise(2): MADV_GUARD_INSTALL. */
#define ADVICE_GUARD_INSTALL 102

/* Old in the kernel: TCGETS2, TCSETS2, TCSETSF2, whose struct termios2 (44 bytes) no header shows beside <termios.h>. */
#define TERMIOS2_GET _IOR('T', 0x2A, char[44])
#define TERMIOS2_SET _IOW('T', 0x2B, char[44])
#define TERMIOS2_SET_FLUSH _IOW('T', 0x2D, char[44])

/* 6.2, Landlock ABI 3. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* 6.7, Landlock ABI 4. */
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif

/* LANDLOCK_RULE_NET_PORT, an enumerator that no #ifdef sees, and its rule. */
#define RULE_NET_PORT 2
struct landlock_net_port_attr_abi4 {
	uint64_t allowed_access;
	uint64_t port; /* in the host's order */
};

/* 6.10, Landlock ABI 5. */
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

/* 6.12, Landlock ABI 6. */
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* The ruleset as of ABI 6; its first field alone is ABI 1 (5.13), its first two are ABI 4. */
struct landlock_ruleset_abi6 {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#endif
