/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.h - `kuryed reseal`: after a change of keys, the first one seals everything, and the others may go. */
#pragma once

/* argv[0] is the word `reseal`. Returns the process' exit status: 0: only the first key is needed from now on. */
int reseal_main(int argc, char **argv);
