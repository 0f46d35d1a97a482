/* SPDX-License-Identifier: Apache-2.0 */
/* healthcheck.h - `kuryed healthcheck`: asks the server beside it how it is, for images without a shell. */
#pragma once

/* Runs the subcommand, argv[0] being `healthcheck`, and tells people on stderr in one line. The exit status: 0 when the
 * ops port of KURYE_OPS_LISTEN answers 200, 1 when not, 64 when the arguments are wrong. Threads: main, before any other
 * is started. */
int healthcheck_main(int argc, char **argv);
