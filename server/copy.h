/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h - `kuryed copy`: brings an embedded installation over to a MongoDB. */
#pragma once

/* Runs the subcommand, argv[0] being `copy`, and tells people on stdout and stderr; never what an order or a record says,
 * nor a store's place, which may hold a password. The exit status: 0 when the destination holds all of the source and
 * compares equal, 1 when not, 64 when the arguments are wrong. Threads: main, before any other is started. */
int copy_main(int argc, char **argv);
