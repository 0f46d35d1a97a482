/* SPDX-License-Identifier: Apache-2.0 */
/* backup.h - `kuryed backup` and `kuryed restore`: the embedded store as one file, and back. */
#pragma once

/* Runs the subcommand, which argv[0] names, and tells people on stdout and stderr. The exit status: 0 when the file is
 * there, whole and on disk; 1 when it is not; 64 when the arguments are wrong, or the store is no file. Threads: main,
 * before any other is started. */
int backup_main(int argc, char **argv);
