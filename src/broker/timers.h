/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When something is open, the broker sleeps until the next closing is due, however far that is.  poll(2) neither
 * counts a suspend nor hears of a wall clock that is set, so two timers stand beside it (timerfd_create(2)): one on
 * CLOCK_BOOTTIME, which a resume finds expired, and one on CLOCK_REALTIME with TFD_TIMER_CANCEL_ON_SET, which becomes
 * readable as soon as somebody sets that clock.  Whichever wakes: everything is computed anew.
 */
#ifndef SGWARDEN_BROKER_TIMERS_H
#define SGWARDEN_BROKER_TIMERS_H

#include <stdint.h>

#define BROKER_TIMERS 2

/* As FD_BROKER_BOOT_TIMER and FD_BROKER_WALL_TIMER; before the sandbox is on.  0 or -1. */
int timers_open(void);

/* Both, so many milliseconds from now; below zero: neither.  What had expired is over with it.  0 or -1. */
int timers_arm(int64_t ms);

#endif
