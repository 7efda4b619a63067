/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defences that a test build can do without, one at a time: MUTATE(NAME) is true where the build has -Dmutants=true and
 * the file `mutant` of its build folder says NAME.  `./dev mutants` runs the tests against each of them: a defence that
 * can be missing without a test noticing is none that the tests prove.  In every other build it is the constant false,
 * and nothing of it is left in a program.
 *
 * The file is read by a constructor, before any sandbox.  The names stand in tests/mutants/mutants.def, each with the
 * tests that must fail; tables that are walked have a mutant for each of their rows, MUTATE_ROW("table", name).
 */
#ifndef SGWARDEN_MUTATE_H
#define SGWARDEN_MUTATE_H

#include <stdbool.h>

#ifndef SGW_MUTANTS
#define SGW_MUTANTS 0
#endif

#if SGW_MUTANTS
bool mutant_is(const char *table, const char *name); /* table NULL: a single check */
#define MUTATE(NAME) mutant_is(NULL, #NAME)
#define MUTATE_ROW(table, name) mutant_is(table, name)
#else
#define MUTATE(NAME) false
#define MUTATE_ROW(table, name) false
#endif

#endif
